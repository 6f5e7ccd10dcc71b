"""Push more scores than fit into memory: plan files, one sender, report files."""
