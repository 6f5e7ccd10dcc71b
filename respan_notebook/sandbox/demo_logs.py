"""Sample logs: what support, writing, coding and data assistants are asked, and answer."""

from __future__ import annotations

from typing import Any

SUPPORT = (
    "You are the support assistant of Tern, a small bicycle rental in Tallinn. Be brief and "
    "friendly. Never promise a refund: hand those to a colleague."
)
CODER = "You are a careful programmer. Answer with code first, then at most three sentences."

_LONG_PARAGRAPHS = (
    "The harbour office keeps two sets of tide tables. The first is printed every spring by the "
    "hydrographic service and hangs behind the counter, where the pencil marks of forty years "
    "show which figures the pilots stopped trusting. The second is the notebook that the night "
    "clerk fills in by hand, one line for each turn of the tide, with the wind beside it. When "
    "the two disagree, the ferry sails by the notebook.",
    "In the first year of the survey we measured only the water. A float in a stilling well "
    "wrote its height every six minutes, and the record was so clean that nobody asked what it "
    "left out. In the second year a student put a microphone under the quay. The mussels, it "
    "turned out, close their shells about twenty minutes before a storm surge reaches the bay, "
    "and the sound of some ten thousand shells closing is unmistakable once one has heard it.",
    "None of this would matter to the town if the road to the hospital did not cross the flats. "
    "At a surge of one metre and a half the road is wet; at two metres it is gone. The old rule "
    "was to close it when the barometer fell by eight hectopascals in three hours. That rule "
    "closed the road on thirty-one days last winter, and on twenty-six of them the flats stayed "
    "dry while ambulances took the long way round.",
    "We therefore compared three ways to decide. The first is the old rule. The second is the "
    "numerical forecast of the weather service, read at six in the morning and at six at night. "
    "The third is the forecast together with the microphone, which can only ever bring a warning "
    "forward. Each way was judged by two numbers: the hours that the road was closed for "
    "nothing, and the minutes of warning before the water came over the kerb.",
    "The results are less tidy than we hoped. The forecast alone halves the needless closures, "
    "yet it missed the surge of the ninth of January altogether, because a small low ran up the "
    "sound between two of its runs. The microphone heard that one. It also heard a dredger, two "
    "regattas and, for reasons that we still do not understand, the fireworks of a wedding.",
    "Our advice is modest. Keep the barometer rule for nights when the line to the weather "
    "service is down. Use the forecast in all other cases, and let the microphone wake the clerk "
    "rather than close the road. The clerk, who has a window, should have the last word; and "
    "what the clerk decides should go into the notebook, with the wind beside it.",
    "Two things remain to be done before the next winter. The microphone needs a second one on "
    "the far quay, so that a dredger can be told from a storm by the order in which they hear "
    "it. And someone ought to ask the mussels' opinion of fireworks.",
)


def _long_report() -> str:
    """Return a report of some 8,000 characters, in numbered sections."""
    bays = ("the north bay", "the south bay", "the river mouth")
    sections = [
        f"## {number}. Notes from {bay}\n\n" + "\n\n".join(_LONG_PARAGRAPHS)
        for number, bay in enumerate(bays, start=1)
    ]
    return "# Closing the coast road\n\n" + "\n\n".join(sections)


def _chat(question: object, answer: str, *, system: str | None = None) -> dict[str, Any]:
    """Return the messages of one question and its answer, as a log has them."""
    messages: list[dict[str, object]] = [{"role": "user", "content": question}]
    if system is not None:
        messages.insert(0, {"role": "system", "content": system})
    return {
        "prompt_messages": messages,
        "completion_message": {"role": "assistant", "content": answer},
    }


DEMO_LOGS: tuple[dict[str, Any], ...] = (
    {
        "unique_id": "demo_01",
        "timestamp": "2026-01-05T09:00:00Z",
        **_chat(
            "Hi, my bike lock won't open. What do I do?",
            "Sorry about that! Hold the phone right above the lock, open the app and press "
            "**Unlock again**. If the light stays red, tell me the number on the frame and I "
            "will free the bike from here.",
            system=SUPPORT,
        ),
        "model": "gpt-4o-mini",
        "status_code": 200,
        "environment": "prod",
        "log_type": "chat",
        "latency": 0.84,
        "cost": 0.000112,
        "prompt_tokens": 64,
        "completion_tokens": 52,
        "customer_identifier": "customer_118",
        "metadata": {"channel": "app", "city": "Tallinn"},
        "prompt_id": "support_v3",
        "prompt_version_number": 3,
    },
    {
        "unique_id": "demo_02",
        "timestamp": "2026-01-05T09:04:10Z",
        "prompt_messages": [
            {"role": "system", "content": SUPPORT},
            {"role": "user", "content": "You charged me twice on Saturday."},
            {
                "role": "assistant",
                "content": "That should not happen. Which amounts do you see, and on which card?",
            },
            {"role": "user", "content": "2 x 14.50 on the Visa ending in 0042. I want it back!"},
        ],
        "completion_message": {
            "role": "assistant",
            "content": "Thank you. I see both charges of 14.50 on Saturday at 16:12. I have "
            "handed this to a colleague who decides about refunds and will write to you today.",
        },
        "model": "gpt-4o-mini",
        "status_code": 200,
        "environment": "prod",
        "log_type": "chat",
        "latency": 1.31,
        "cost": 0.000207,
        "prompt_tokens": 131,
        "completion_tokens": 58,
        "thread_identifier": "thread_refund_7",
        "customer_identifier": "customer_204",
        "metadata": {"channel": "mail", "city": "Tartu", "refund": True},
        "prompt_id": "support_v3",
        "prompt_version_number": 3,
    },
    {
        "unique_id": "demo_03",
        "timestamp": "2026-01-05T09:11:30Z",
        "prompt_messages": [
            {"role": "system", "content": SUPPORT},
            {"role": "user", "content": "Is there a cargo bike near the central market?"},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {
                        "id": "call_bikes_1",
                        "type": "function",
                        "function": {
                            "name": "find_bikes",
                            "arguments": '{"kind": "cargo", "near": "central market"}',
                        },
                    }
                ],
            },
            {
                "role": "tool",
                "tool_call_id": "call_bikes_1",
                "content": '{"bikes": [{"id": "C-17", "metres": 240, "battery": 81}]}',
            },
        ],
        "completion_message": {
            "role": "assistant",
            "content": "Yes: cargo bike **C-17** stands 240 m away with 81 % battery. Shall I "
            "hold it for ten minutes?",
        },
        "model": "gpt-4o",
        "status_code": 200,
        "environment": "prod",
        "log_type": "chat",
        "latency": 2.05,
        "cost": 0.0019,
        "prompt_tokens": 188,
        "completion_tokens": 33,
        "trace_unique_id": "trace_bikes_1",
        "span_name": "answer_with_tools",
        "metadata": {"channel": "app", "tools": 1},
    },
    {
        "unique_id": "demo_04",
        "timestamp": "2026-01-05T09:15:00Z",
        "prompt_messages": [
            {"role": "user", "content": "Will it rain in Bergen tomorrow?"},
        ],
        "completion_message": {
            "role": "assistant",
            "content": "",
            "tool_calls": [
                {
                    "id": "call_weather_9",
                    "type": "function",
                    "function": {
                        "name": "get_forecast",
                        "arguments": '{"city": "Bergen", "days": 1, "unit": "mm"}',
                    },
                }
            ],
        },
        "model": "claude-sonnet-4",
        "status_code": 200,
        "environment": "staging",
        "log_type": "chat",
        "latency": 0.92,
        "cost": 0.00071,
        "prompt_tokens": 41,
        "completion_tokens": 29,
    },
    {
        "unique_id": "demo_05",
        "timestamp": "2026-01-05T10:00:00Z",
        **_chat(
            "Extract name, date and total from: 'Invoice of 3 December 2025, Kiosk Marta, to pay "
            "EUR 48,90 within 14 days'. JSON only.",
            '{"name": "Kiosk Marta", "date": "2025-12-03", "total": {"amount": 48.9, '
            '"currency": "EUR"}}',
        ),
        "model": "gpt-4o-mini",
        "status_code": 200,
        "environment": "prod",
        "log_type": "chat",
        "latency": 0.66,
        "cost": 0.000094,
        "prompt_tokens": 58,
        "completion_tokens": 37,
        "prompt_id": "invoice_reader",
        "prompt_version_number": 11,
        "metadata": {"pipeline": "invoices", "batch": 42},
    },
    {
        "unique_id": "demo_06",
        "timestamp": "2026-01-05T10:00:20Z",
        **_chat(
            "Extract name, date and total from: 'Paid in cash, thanks! Olav'. JSON only.",
            'Here is the JSON you asked for:\n```json\n{"name": "Olav", "date": null, "total": '
            "null,}\n```",
        ),
        "model": "gpt-4o-mini",
        "status_code": 200,
        "environment": "prod",
        "log_type": "chat",
        "latency": 0.71,
        "cost": 0.000088,
        "prompt_tokens": 47,
        "completion_tokens": 34,
        "prompt_id": "invoice_reader",
        "prompt_version_number": 11,
        "metadata": {"pipeline": "invoices", "batch": 42},
    },
    {
        "unique_id": "demo_07",
        "timestamp": "2026-01-05T11:20:00Z",
        **_chat(
            "A Python function that yields the lines of a file backwards, without reading it all.",
            "```python\n"
            "import os\n"
            "from collections.abc import Iterator\n\n\n"
            "def lines_backwards(path: str, block: int = 8192) -> Iterator[bytes]:\n"
            '    with open(path, "rb") as file:\n'
            "        end = file.seek(0, os.SEEK_END)\n"
            '        rest = b""\n'
            "        while end > 0:\n"
            "            start = max(0, end - block)\n"
            "            file.seek(start)\n"
            "            rest = file.read(end - start) + rest\n"
            '            rest, *lines = rest.split(b"\\n")\n'
            "            yield from reversed(lines)\n"
            "            end = start\n"
            "        yield rest\n"
            "```\n"
            "It reads blocks from the end and keeps the unfinished first line for the next block.",
            system=CODER,
        ),
        "model": "claude-sonnet-4",
        "status_code": 200,
        "environment": "prod",
        "log_type": "chat",
        "latency": 3.4,
        "cost": 0.0046,
        "prompt_tokens": 59,
        "completion_tokens": 190,
        "customer_identifier": "customer_dev_3",
    },
    {
        "unique_id": "demo_08",
        "timestamp": "2026-01-05T11:31:00Z",
        **_chat(
            "SQL: the three customers who spent most in each month.",
            "```sql\n"
            "WITH monthly AS (\n"
            "  SELECT customer_id, date_trunc('month', paid_at) AS month, sum(amount) AS spent\n"
            "  FROM payments\n"
            "  GROUP BY 1, 2\n"
            ")\n"
            "SELECT month, customer_id, spent\n"
            "FROM (SELECT *, rank() OVER (PARTITION BY month ORDER BY spent DESC) AS place\n"
            "      FROM monthly) AS ranked\n"
            "WHERE place <= 3\n"
            "ORDER BY month, place;\n"
            "```\n"
            "`rank` keeps ties, so a month may show more than three customers.",
            system=CODER,
        ),
        "model": "claude-sonnet-4",
        "status_code": 200,
        "environment": "prod",
        "log_type": "chat",
        "latency": 2.8,
        "cost": 0.0039,
        "prompt_tokens": 51,
        "completion_tokens": 141,
    },
    {
        "unique_id": "demo_09",
        "timestamp": "2026-01-05T11:45:00Z",
        **_chat(
            "Debounce in TypeScript, generic over the arguments.",
            "```typescript\n"
            "export function debounce<A extends unknown[]>(\n"
            "  call: (...args: A) => void,\n"
            "  milliseconds: number,\n"
            "): (...args: A) => void {\n"
            "  let timer: ReturnType<typeof setTimeout> | undefined;\n"
            "  return (...args) => {\n"
            "    clearTimeout(timer);\n"
            "    timer = setTimeout(() => call(...args), milliseconds);\n"
            "  };\n"
            "}\n"
            "```\n"
            'Use it as `input.addEventListener("input", debounce(search, 250))`. '
            'The markup `<script>alert("hello")</script>` in a query stays text if you set it '
            "with `textContent`.",
            system=CODER,
        ),
        "model": "gpt-4o",
        "status_code": 200,
        "environment": "staging",
        "log_type": "chat",
        "latency": 1.9,
        "cost": 0.0028,
        "prompt_tokens": 48,
        "completion_tokens": 128,
    },
    {
        "unique_id": "demo_10",
        "timestamp": "2026-01-05T12:05:00Z",
        **_chat(
            "Compare the three subscriptions in a table.",
            "| Plan | Price a month | Rides | Helmet |\n"
            "| --- | ---: | :---: | --- |\n"
            "| Day | 0.00 | pay each | no |\n"
            "| City | 9.90 | 30 | on request |\n"
            "| Always | 24.00 | unlimited | included |\n\n"
            "1. **City** pays off from *seven* rides a month.\n"
            "2. **Always** also covers the ferry.\n\n"
            "> Prices hold until the end of March.",
            system=SUPPORT,
        ),
        "model": "gpt-4o-mini",
        "status_code": 200,
        "environment": "prod",
        "log_type": "chat",
        "latency": 1.2,
        "cost": 0.00021,
        "prompt_tokens": 66,
        "completion_tokens": 118,
        "prompt_id": "support_v3",
        "prompt_version_number": 3,
    },
    {
        "unique_id": "demo_11",
        "timestamp": "2026-01-05T13:00:00Z",
        **_chat(
            "Write up the tide survey for the council, complete, with headings.", _long_report()
        ),
        "model": "gpt-4o",
        "status_code": 200,
        "environment": "prod",
        "log_type": "chat",
        "latency": 31.7,
        "cost": 0.0214,
        "prompt_tokens": 912,
        "completion_tokens": 1804,
        "metadata": {"document": "tide-survey", "pages": 4},
    },
    {
        "unique_id": "demo_12",
        "timestamp": "2026-01-05T13:30:00Z",
        **_chat(
            "駅から美術館まで歩いて行けますか。",
            "はい、歩いて約十二分です。東口を出て川沿いの道をまっすぐ進み、二つ目の橋を渡ると右手に見えます。"
            "月曜日は休館ですのでご注意ください。",
        ),
        "model": "gpt-4o",
        "status_code": 200,
        "environment": "prod",
        "log_type": "chat",
        "latency": 1.5,
        "cost": 0.0013,
        "prompt_tokens": 32,
        "completion_tokens": 74,
        "metadata": {"language": "ja", "channel": "kiosk"},
    },
    {
        "unique_id": "demo_13",
        "timestamp": "2026-01-05T13:34:00Z",
        **_chat(
            "كيف أغيّر موعد الحجز؟",
            "افتح صفحة «حجوزاتي»، ثم اختر الحجز واضغط على «تغيير الموعد». "
            "يمكنك التغيير مجانًا حتى 24 ساعة قبل الموعد.",
        ),
        "model": "gpt-4o",
        "status_code": 200,
        "environment": "prod",
        "log_type": "chat",
        "latency": 1.4,
        "cost": 0.0011,
        "prompt_tokens": 27,
        "completion_tokens": 61,
        "metadata": {"language": "ar", "channel": "app"},
    },
    {
        "unique_id": "demo_14",
        "timestamp": "2026-01-05T13:38:00Z",
        **_chat(
            "मेरा ऑर्डर अब तक क्यों नहीं आया?",
            "असुविधा के लिए खेद है। आपका ऑर्डर कल शाम पुणे के गोदाम से निकला है और शुक्रवार तक पहुँच जाएगा।",
        ),
        "model": "gpt-4o-mini",
        "status_code": 200,
        "environment": "prod",
        "log_type": "chat",
        "latency": 1.1,
        "cost": 0.00018,
        "prompt_tokens": 39,
        "completion_tokens": 68,
        "metadata": {"language": "hi", "channel": "app"},
    },
    {
        "unique_id": "demo_15",
        "timestamp": "2026-01-05T13:41:00Z",
        **_chat(
            "Объясни коротко, что такое индекс в базе данных.",
            "Индекс похож на алфавитный указатель в конце книги: он хранит значения столбца по "
            "порядку и место каждой строки. Поиск становится быстрее, а запись немного медленнее.",
        ),
        "model": "claude-haiku-4",
        "status_code": 200,
        "environment": "staging",
        "log_type": "chat",
        "latency": 0.9,
        "cost": 0.00031,
        "prompt_tokens": 28,
        "completion_tokens": 66,
        "metadata": {"language": "ru"},
    },
    {
        "unique_id": "demo_16",
        "timestamp": "2026-01-05T14:00:00Z",
        **_chat(
            "summarise my day in emoji only: gym, rain, missed the bus, cake with grandma",
            "🏋️‍♀️➡️🌧️☔➡️🏃‍♂️💨🚌😩➡️👵🏽🍰💛",
        ),
        "model": "gpt-4o-mini",
        "status_code": 200,
        "environment": "prod",
        "log_type": "chat",
        "latency": 0.5,
        "cost": 0.00006,
        "prompt_tokens": 25,
        "completion_tokens": 31,
    },
    {
        "unique_id": "demo_17",
        "timestamp": "2026-01-05T14:10:00Z",
        "prompt_messages": [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "Two questions about my order 5512."},
                    {"type": "text", "text": "When does it leave, and can I still add a bell?"},
                ],
            }
        ],
        "completion_message": {
            "role": "assistant",
            "content": [
                {"type": "text", "text": "It leaves on Thursday morning."},
                {"type": "text", "text": "A bell can be added until Wednesday, 18:00."},
            ],
        },
        "model": "claude-haiku-4",
        "status_code": 200,
        "environment": "prod",
        "log_type": "chat",
        "latency": 0.8,
        "cost": 0.00027,
        "prompt_tokens": 44,
        "completion_tokens": 30,
    },
    {
        "unique_id": "demo_18",
        "timestamp": "2026-01-05T14:20:00Z",
        "prompt_messages": [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "Is the chain of this bike worn out?"},
                    {
                        "type": "image_url",
                        "image_url": {"url": "https://images.example.com/chain-0042.jpg"},
                    },
                ],
            }
        ],
        "completion_message": {
            "role": "assistant",
            "content": "It looks stretched: the links stand off the large ring in front. Measure "
            "it with a chain gauge, and change it if the 0.75 side drops in.",
        },
        "model": "gpt-4o",
        "status_code": 200,
        "environment": "prod",
        "log_type": "chat",
        "latency": 2.6,
        "cost": 0.0042,
        "prompt_tokens": 811,
        "completion_tokens": 46,
        "metadata": {"channel": "app", "images": 1},
    },
    {
        "unique_id": "demo_19",
        "timestamp": "2026-01-05T14:31:00Z",
        "prompt_messages": [
            {"role": "system", "content": SUPPORT},
            {"role": "user", "content": "Can I take the ferry with the rented bike?"},
        ],
        "completion_message": None,
        "model": "gpt-4o-mini",
        "status_code": 500,
        "error_message": "upstream_error: the model did not answer within 30 seconds",
        "environment": "prod",
        "log_type": "chat",
        "latency": 30.0,
        "cost": 0.0,
        "prompt_tokens": 0,
        "completion_tokens": 0,
        "customer_identifier": "customer_118",
        "metadata": {"channel": "app", "retries": 2},
    },
    {
        "unique_id": "demo_20",
        "timestamp": "2026-01-05T14:32:00Z",
        "model": "gpt-4o-mini",
        "status_code": 200,
        "environment": "prod",
        "log_type": "chat",
        "blurred": True,
    },
    {
        "unique_id": "demo_21",
        "timestamp": "2026-01-06T08:10:00Z",
        "input": "Translate into French: 'The museum is closed on Mondays.'",
        "output": "Le musée est fermé le lundi.",
        "model": "mistral-small",
        "status_code": 200,
        "environment": "prod",
        "log_type": "text",
        "latency": 0.4,
        "cost": 0.00002,
        "prompt_tokens": 18,
        "completion_tokens": 9,
        "metadata": {"language": "fr"},
    },
    {
        "unique_id": "demo_22",
        "timestamp": "2026-01-06T08:15:00Z",
        "input": {"question": "Who may borrow the ladder?", "top_k": 2},
        "output": {
            "answer": "Every member, for up to three days.",
            "sources": [
                {"file": "rules.md", "line": 41, "text": "Members may borrow tools for 3 days."},
                {"file": "tools.md", "line": 7, "text": "The ladder hangs behind the door."},
            ],
        },
        "model": "claude-haiku-4",
        "status_code": 200,
        "environment": "staging",
        "log_type": "workflow",
        "latency": 1.7,
        "cost": 0.0006,
        "trace_unique_id": "trace_rules_5",
        "span_name": "retrieve_and_answer",
        "metadata": {"retrieved": 2},
    },
    {
        "unique_id": "demo_23",
        "timestamp": "2026-01-06T08:40:00Z",
        **_chat(
            "Make this mail politer: 'Send me the numbers now.'",
            "Dear Ines,\n\ncould you send me the figures for December when you have a moment? I "
            "would like to finish the report this afternoon.\n\nThank you very much\nRuth",
            system="You rewrite mails. Keep the meaning, the names and the length.",
        ),
        "model": "gpt-4o-mini",
        "status_code": 200,
        "environment": "prod",
        "log_type": "chat",
        "latency": 0.9,
        "cost": 0.00012,
        "prompt_tokens": 42,
        "completion_tokens": 49,
        "prompt_id": "mail_rewriter",
        "prompt_version_number": 1,
    },
    {
        "unique_id": "demo_24",
        "timestamp": "2026-01-06T09:02:00Z",
        **_chat(
            "How many windows does the old lighthouse in our village have?",
            "The old lighthouse has exactly 37 windows, 12 of them facing the sea.",
        ),
        "model": "mistral-small",
        "status_code": 200,
        "environment": "prod",
        "log_type": "chat",
        "latency": 0.5,
        "cost": 0.00003,
        "prompt_tokens": 20,
        "completion_tokens": 21,
        "customer_identifier": "customer_77",
    },
    {
        "unique_id": "demo_25",
        "timestamp": "2026-01-06T09:30:00Z",
        "prompt_messages": [
            {"role": "system", "content": "You tutor pupils of ten. Ask before you tell."},
            {"role": "user", "content": "what is 3/4 of 20"},
            {"role": "assistant", "content": "What is one quarter of 20?"},
            {"role": "user", "content": "5"},
            {"role": "assistant", "content": "Right! And how many of those quarters do we need?"},
            {"role": "user", "content": "3... so 15?"},
        ],
        "completion_message": {
            "role": "assistant",
            "content": "Exactly, 15. You split 20 into four parts of 5 and took three of them. "
            "Would you like to try 2/5 of 20?",
        },
        "model": "claude-haiku-4",
        "status_code": 200,
        "environment": "prod",
        "log_type": "chat",
        "latency": 1.0,
        "cost": 0.0003,
        "prompt_tokens": 97,
        "completion_tokens": 44,
        "thread_identifier": "thread_tutor_2",
    },
    {
        "unique_id": "demo_26",
        "timestamp": "2026-01-06T10:00:00Z",
        **_chat(
            "Rust: count the words of stdin.",
            "```rust\n"
            "use std::io::{self, BufRead};\n\n"
            "fn main() -> io::Result<()> {\n"
            "    let mut words = 0;\n"
            "    for line in io::stdin().lock().lines() {\n"
            "        words += line?.split_whitespace().count();\n"
            "    }\n"
            '    println!("{words}");\n'
            "    Ok(())\n"
            "}\n"
            "```\n"
            "It holds one line at a time; a line that is not UTF-8 ends it with an error.",
            system=CODER,
        ),
        "model": "claude-sonnet-4",
        "status_code": 200,
        "environment": "staging",
        "log_type": "chat",
        "latency": 2.2,
        "cost": 0.0031,
        "prompt_tokens": 44,
        "completion_tokens": 92,
    },
    {
        "unique_id": "demo_27",
        "timestamp": "2026-01-06T10:20:00Z",
        **_chat(
            "Ist der Laden am Feiertag offen?",
            "We are open every day from 9 to 18, except on public holidays.",
            system="Answer in the language of the question.",
        ),
        "model": "gpt-4o-mini",
        "status_code": 200,
        "environment": "prod",
        "log_type": "chat",
        "latency": 0.6,
        "cost": 0.00007,
        "prompt_tokens": 30,
        "completion_tokens": 20,
        "metadata": {"language": "de", "channel": "web"},
    },
    {
        "unique_id": "demo_28",
        "timestamp": "2026-01-06T10:45:00Z",
        **_chat(
            "Which of these reviews are about delivery? Answer with a JSON list of numbers.\n"
            "1. Came a week late.\n2. Lovely colour!\n3. The courier left it in the rain.",
            "[1, 3]",
        ),
        "model": "gpt-4o-mini",
        "status_code": 200,
        "environment": "prod",
        "log_type": "chat",
        "latency": 0.4,
        "cost": 0.00005,
        "prompt_tokens": 51,
        "completion_tokens": 7,
        "metadata": {"pipeline": "reviews", "batch": 7},
    },
    {
        "unique_id": "demo_29",
        "timestamp": "2026-01-06T11:00:00Z",
        "prompt_messages": [
            {"role": "user", "content": "Book the small room for Friday at ten, for two hours."},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {
                        "id": "call_room_1",
                        "type": "function",
                        "function": {
                            "name": "book_room",
                            "arguments": '{"room": "small", "start": "2026-01-09T10:00", '
                            '"hours": 2}',
                        },
                    }
                ],
            },
            {
                "role": "tool",
                "tool_call_id": "call_room_1",
                "content": '{"error": "taken", "free": ["large"]}',
            },
        ],
        "completion_message": {
            "role": "assistant",
            "content": "Done! The small room is yours on Friday from ten to twelve.",
        },
        "model": "gpt-4o",
        "status_code": 200,
        "environment": "staging",
        "log_type": "chat",
        "latency": 1.8,
        "cost": 0.0015,
        "prompt_tokens": 160,
        "completion_tokens": 18,
        "trace_unique_id": "trace_rooms_3",
        "span_name": "book_room",
    },
    {
        "unique_id": "demo_30",
        "timestamp": "2026-01-06T11:30:00Z",
        **_chat(
            "Write a limerick about a slow query.",
            "A query went off for a stroll\n"
            "through a table with rows as its goal;\n"
            "it scanned every one\n"
            "till the setting of sun,\n"
            "for an index had not been on the whole.",
        ),
        "model": "claude-sonnet-4",
        "status_code": 200,
        "environment": "prod",
        "log_type": "chat",
        "latency": 1.6,
        "cost": 0.0012,
        "prompt_tokens": 17,
        "completion_tokens": 55,
        "metadata": {"mood": "playful", "rating": 4.5},
    },
)
