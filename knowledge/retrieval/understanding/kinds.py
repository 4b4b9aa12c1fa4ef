"""What people call kinds of files and languages of documents. Patterns match `folded` text."""

from knowledge.file_kinds import PROGRAMS

# Pattern of the plural (or of "… files"), and the types it names (`knowledge.file_kinds`).
ENGLISH = {
    r"pdfs|pdf\s+(?:files|documents|docs|uploads)": ("pdf",),
    r"(?:ms\s+|microsoft\s+)?word\s+(?:files|documents|docs)|docx\s+files": ("docx",),
    r"spreadsheets|excel\s+(?:files|sheets|documents|tables)|xlsx\s+files": ("xlsx", "csv"),
    r"slides|slide\s+decks|presentations|powerpoints|powerpoint\s+(?:files|slides|presentations)"
    r"|pptx\s+files": ("pptx",),
    r"e-?mails|e-?mail\s+messages": ("eml", "mbox"),
    r"markdown\s+(?:files|documents|docs|pages|notes)|md\s+files": ("markdown",),
    r"web\s?pages|html\s+(?:files|pages|documents)": ("html",),
    r"csvs|csv\s+files|tsv\s+files": ("csv",),
    r"e-?books|epubs|epub\s+files": ("epub",),
    r"(?:jupyter\s+)?notebooks": ("ipynb",),
    r"json\s+files": ("json", "jsonl"),
    r"(?:plain\s+)?text\s+files|txt\s+files": ("text",),
    r"source\s+(?:code|files)|code\s+files|programs": tuple(known.kind for known in PROGRAMS),
    **{
        rf"{said}\s+(?:files|scripts|modules|sources|code)": (f"code:{language}",)
        for said, language in (
            ("python", "python"), ("java", "java"), ("javascript", "javascript"),
            ("typescript", "typescript"), ("go", "go"), ("rust", "rust"), ("ruby", "ruby"),
            ("php", "php"), ("shell", "bash"), ("bash", "bash"), (r"c\+\+", "cpp"),
            ("c#", "csharp"),
        )
    },
    r"documents|files|docs|uploads": (),
}  # fmt: skip
_OF_TYPE = r"(?:格式的?)?(?:文件|文档|档案|资料|附件)?"
CHINESE = {
    rf"pdfs?{_OF_TYPE}": ("pdf",),
    rf"(?:word|docx){_OF_TYPE}": ("docx",),
    rf"(?:excel|xlsx){_OF_TYPE}(?:表格?)?|电子表格|试算表": ("xlsx", "csv"),
    rf"(?:ppt|pptx|powerpoint){_OF_TYPE}|幻灯片|演示文稿|简报|投影片": ("pptx",),
    r"(?:电子)?邮件": ("eml", "mbox"),
    rf"markdown{_OF_TYPE}": ("markdown",),
    rf"网页|html{_OF_TYPE}": ("html",),
    rf"csv{_OF_TYPE}": ("csv",),
    rf"电子书|epub{_OF_TYPE}": ("epub",),
    rf"json{_OF_TYPE}": ("json", "jsonl"),
    r"文本文件|纯文本|txt文件": ("text",),
    r"代码文件|源代码|源码|程序文件": tuple(known.kind for known in PROGRAMS),
    **{
        rf"{language}(?:代码|文件|脚本|源码)": (f"code:{language}",)
        for language in ("python", "java", "javascript", "typescript", "go", "rust")
    },
    r"文件|文档|档案|资料": (),
}
LANGUAGES_ENGLISH = {
    r"simplified\s+chinese": ("zh-hans",),
    r"traditional\s+chinese": ("zh-hant",),
    "chinese": ("zh-hans", "zh-hant"),
    "english": ("en",),
    "german": ("de",),
    "french": ("fr",),
    "spanish": ("es",),
    "italian": ("it",),
    "portuguese": ("pt",),
    "dutch": ("nl",),
    "japanese": ("ja",),
    "korean": ("ko",),
    "russian": ("ru",),
}
LANGUAGES_CHINESE = {
    "简体(?:中文)?": ("zh-hans",),
    "繁体(?:中文)?": ("zh-hant",),
    "中文|汉语|华文": ("zh-hans", "zh-hant"),
    "英文|英语": ("en",),
    "德文|德语": ("de",),
    "法文|法语": ("fr",),
    "西班牙文|西班牙语": ("es",),
    "日文|日语": ("ja",),
    "韩文|韩语": ("ko",),
    "俄文|俄语": ("ru",),
}
