// What lab_page.py asks of JupyterLab and Notebook 7, by the application object that both expose.
window.labPage = {
  panel() {
    for (const widget of window.jupyterapp?.shell?.widgets("main") ?? []) {
      if (widget.content?.model?.cells && widget.sessionContext) return widget;
    }
    return null;
  },
  kernel() {
    return this.panel()?.sessionContext.session?.kernel ?? null;
  },
  isReady() {
    return this.panel()?.context.isReady && this.kernel()?.status === "idle";
  },
  // The status stays "idle" until the server has noticed a kernel's death: a wait for "idle" alone
  // would be over at once.
  expectRestart() {
    const kernel = this.kernel();
    this.restarted = new Promise((resolve) => {
      let restarting = false;
      kernel.statusChanged.connect((_, status) => {
        restarting ||= status.endsWith("restarting");
        if (restarting && status === "idle") resolve(null);
      });
    });
  },
  // page.evaluate has no time limit of its own.
  async within(seconds, what, promise) {
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(`${what}: not done in ${seconds} s`)), seconds * 1000);
    });
    try {
      return await Promise.race([promise, late]);
    } finally {
      clearTimeout(timer);
    }
  },
  command({ id, args, timeout }) {
    // What a command returns need not be plain data.
    const run = window.jupyterapp.commands.execute(id, args).then(() => null);
    return this.within(timeout, id, run);
  },
  async run({ code, timeout }) {
    const content = { code, store_history: false, stop_on_error: false, allow_stdin: false };
    const future = this.kernel().requestExecute(content);
    const result = { id: future.msg.header.msg_id, stdout: "", error: "" };
    future.onIOPub = ({ header, content }) => {
      if (header.msg_type === "stream" && content.name === "stdout") result.stdout += content.text;
      if (header.msg_type === "error") result.error = content.traceback.join("\n");
    };
    await this.within(timeout, "code in the kernel", future.done);
    return result;
  },
};
