"""Texts with and without personal data and secrets, in English and Chinese: made by a seeded
generator, and hard ones written by hand. Nothing in them is anybody's."""

import base64
import random
import string
from dataclasses import dataclass

SEED = 20_261_122
EACH = 60  # of each form that is made


@dataclass(frozen=True, slots=True)
class Labelled:
    """`values` are what stands in the text, by label; empty: nothing."""

    text: str
    values: dict[str, tuple[str, ...]]
    is_hard: bool = False


ENGLISH = (
    "Please write to {} before Friday.", "Contact: {}", "My details are {}, thank you.",
    "He said {} is the right one, and I noted it.", "see {} for more", "({})",
    "Customer record: name Jane Roe, {}, member since 2019.",
)  # fmt: skip
CHINESE = (
    "请在周五之前联系{}。", "联系方式：{}", "我的資料是{}，謝謝。", "他说{}是对的，我记下来了。",
    "詳情請見{}", "（{}）", "客户张三，{}，2019年入会。",
)  # fmt: skip
PHONE_FORMS = (
    "+49 30 {d7}", "+1 212 555 0{d3}", "+86 138{d8}", "138{d8}", "139 {d4} {d4}", "010-{d8}",
    "0912-{d3}-{d3}", "(212) 555-0{d3}", "+44 20 7946 0{d3}", "02-2{d3}-{d4}", "415-555-0{d3}",
)  # fmt: skip

HARD = {  # by what somebody could take them for; none of them is it
    "phone": (
        "Order 20241122-000381 shipped.", "ISBN 978-3-16-148410-0", "Version 10.0.19045.3803",
        "RFC 9457, section 3.1.4", "2024-11-22 10:30:00", "The sum is 1,234,567.89 euros.",
        "Invoice no. 4500012345", "订单号 20241122000381", "第 1380 页到第 1399 页",
        "GPS 52.520008, 13.404954", "IP 192.168.100.200:8080", "圆周率是 3.14159265358979",
        "EAN 4006381333931", "width 1920 1080 1440", "2001:db8:0:0:0:0:2:1", "0x1380013800138000",
        "SELECT 13800138 FROM t", "from 2019-2024 and 2024-2029", "發票號碼 AB12345678",
    ),
    "email": (
        "git@github.com:owner/project.git", "Look at icon@2x.png", "user@localhost",
        "a @ b.com is no",
        "npm install @types/node@20.1.0", "@alice wrote to @bob", "foo@bar",
        "twitter: @example.org",
        "pip install pkg@1.2.3", "邮箱格式是 名字@域名", "logo@3x.webp",
    ),
    "card": (
        "Tracking 4111 1111 1111 1112", "Serial 5500 0000 0000 0005",
        "6011-0000-0000-0005 is a part",
        "1234 5678 9012 3456", "4000000000000000000000", "卡片编号 4111111111111113",
        "Timestamp 1732271400000000",
    ),
    "iban": (
        "DE89 3704 0044 0532 0130 01", "GB00 WEST 1234 5698 7654 32",
        "Part AB12 3456 7890 1234 5678",
        "FR76 3000 6000 0112 3456 7890 180",
    ),
    "identity": (
        "110105194912310021", "Article 44030719800101123", "A123456788", "B987654321X",
        "Form 987-65-4321", "000-12-3456", "身份证号是18位数字", "C123456(7)", "12-345-6789",
    ),
    "secret": (
        "I love sk-learn and sk-image.", "password: ********", "The password is required.",
        "password = os.environ['DB_PASSWORD']", "api_key: YOUR_API_KEY", "AKIAIOSFODNN7EXAMPLE",
        "token: <your token>", "secret = getpass.getpass()", "密码是必填项", "请输入密码：",
        "ghp_ is the prefix of GitHub's tokens", "xoxb- begins Slack's",
        "commit 9f86d081884c7d659a2f",
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "uuid 01a20449-11a2-70c2-8970-0b71d5a6cfb3", "postgres://user@host/db",
        "-----BEGIN CERTIFICATE-----",
        "-----BEGIN PUBLIC KEY-----", "Password: string", "eyJhbGciOiJIUzI1NiJ9 alone is a header",
        "the secret is out there for everyone", "口令：无", "password reset link expired",
    ),
}  # fmt: skip
MISSED = {  # that are it, in forms that patterns hardly see; they count against the recall
    "phone": ("call me at one three eight zero zero", "Ruf an: 030 1234567"),
    "email": ("alice at example dot org", "alice[at]example.org", "alice（在）example.org"),
    "secret": (
        "hunter2 is what I type in",
        "my pin: 4711",
        "pass phrase: correct horse battery staple",
    ),
}
EVERYDAY = (
    "The ferry leaves at noon and takes two hours.", "How many days of leave do I have in 2026?",
    "我们的报销流程需要三个步骤：填表、审批、付款。", "請問加班費怎麼計算？",
    "Chapter 3.2 covers 15 topics.", "The meeting moved from 9:30 to 14:00 in room 204.",
    "营业额同比增长 12.5%，达到 3,400 万元。",
    "See section 4 of the handbook, page 128.", "def add(a, b): return a + b",
    "H2O boils at 100 °C.",
)  # fmt: skip


def texts(seed: int = SEED) -> list[Labelled]:
    rng = random.Random(seed)
    found = [
        _placed(rng, label, made)
        for label, make in MAKERS.items()
        for made in (make(rng) for _ in range(EACH))
    ]
    for label, lines in HARD.items():
        found += [Labelled(line, {}, is_hard=True) for line in lines]
        found += [Labelled(f"{line} {rng.choice(EVERYDAY)}", {}, is_hard=True) for line in lines]
        assert label
    for label, lines in MISSED.items():
        found += [Labelled(line, {label: (line,)}, is_hard=True) for line in lines]
    found += [Labelled(f"{a} {b}", {}) for a in EVERYDAY for b in EVERYDAY if a != b]
    return found


def _placed(rng: random.Random, label: str, value: str) -> Labelled:
    frame = rng.choice(ENGLISH + CHINESE)
    more = f" {rng.choice(EVERYDAY)}" if rng.random() < 0.5 else ""
    said = (
        f"the password is: {value}"
        if label == "secret" and " " not in value and _is_bare(value)
        else value
    )
    return Labelled(frame.format(said) + more, {label: (value,)})


def _is_bare(value: str) -> bool:
    return not any(
        value.startswith(start) for start in ("ghp_", "sk-", "AKIA", "xox", "eyJ", "-----", "AIza")
    )


def _email(rng: random.Random) -> str:
    name = rng.choice(["alice", "bob.roe", "zhang_wei", "i.mueller+news", "x2", "li-na"])
    host = rng.choice(["example.org", "mail.example.com", "corp.example.cn", "example.com.tw"])
    return f"{name}{rng.randrange(100)}@{host}"


def _digits(rng: random.Random, n: int) -> str:
    return "".join(rng.choices(string.digits, k=n))


def _phone(rng: random.Random) -> str:
    form = rng.choice(PHONE_FORMS)
    for n in (3, 4, 7, 8):
        while f"{{d{n}}}" in form:
            form = form.replace(f"{{d{n}}}", _digits(rng, n), 1)
    return form


def _card(rng: random.Random) -> str:
    body = rng.choice(["4", "51", "52", "6011", "37"])
    length = 15 if body == "37" else 16
    body += _digits(rng, length - 1 - len(body))
    total = sum(
        sum(divmod(2 * int(d), 10)) if n % 2 == 0 else int(d) for n, d in enumerate(body[::-1])
    )
    number = body + str(-total % 10)
    sign = rng.choice(["", " ", "-"])
    parts = (4, 6, 5) if length == 15 else (4, 4, 4, 4)
    if length == 15 and sign == "-":
        sign = " "
    at, found = 0, []
    for part in parts:
        found.append(number[at : at + part])
        at += part
    return sign.join(found)


def _iban(rng: random.Random) -> str:
    country, length = rng.choice([("DE", 22), ("FR", 27), ("NL", 18), ("CH", 21), ("GB", 22)])
    letters = {"NL": "ABNA", "GB": "WEST"}.get(country, "")
    body = letters + _digits(rng, length - 4 - len(letters))
    code = int("".join(str(int(sign, 36)) for sign in body + country + "00"))
    number = f"{country}{98 - code % 97:02d}{body}"
    return (
        number
        if rng.random() < 0.5
        else " ".join(number[at : at + 4] for at in range(0, length, 4))
    )


def _identity(rng: random.Random) -> str:
    if rng.random() < 0.5:
        body = f"{rng.choice([110105, 310104, 440305, 510107])}{rng.randrange(1950, 2006)}"
        body += f"{rng.randrange(1, 13):02d}{rng.randrange(1, 29):02d}{_digits(rng, 3)}"
        weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
        total = sum(w * int(d) for w, d in zip(weights, body, strict=True))
        return body + "10X98765432"[total % 11]
    letter = rng.choice("ABEFHN")
    number = "ABCDEFGHJKLMNPQRSTUVXYWZIO".index(letter) + 10
    body = rng.choice("12") + _digits(rng, 7)
    total = number // 10 + number % 10 * 9
    total += sum(w * int(d) for w, d in zip((8, 7, 6, 5, 4, 3, 2, 1), body, strict=True))
    return f"{letter}{body}{-total % 10}"


def _secret(rng: random.Random) -> str:
    letters = string.ascii_letters + string.digits

    def some(n: int) -> str:
        return "".join(rng.choices(letters, k=n - 2)) + rng.choice(string.digits) + "q"

    head = base64.urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT"}').decode().rstrip("=")
    forms = (
        lambda: f"ghp_{some(36)}", lambda: f"sk-proj-{some(48)}",
        lambda: f"xoxb-{_digits(rng, 11)}-{some(24)}",
        lambda: "AKIA" + "".join(rng.choices(string.ascii_uppercase + string.digits, k=15)) + "7",
        lambda: f"{head}.eyJzdWIi{some(20)}.{some(43)}", lambda: f"AIza{some(35)}",
        lambda: f"{some(10)}!{rng.randrange(10)}",
        lambda: f"-----BEGIN PRIVATE KEY-----\n{some(64)}\n{some(64)}\n-----END PRIVATE KEY-----",
    )  # fmt: skip
    return rng.choice(forms)()


MAKERS = {
    "email": _email, "phone": _phone, "card": _card, "iban": _iban, "identity": _identity,
    "secret": _secret,
}  # fmt: skip
