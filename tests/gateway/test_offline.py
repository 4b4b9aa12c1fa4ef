"""The offline answerer: what it quotes, how it says it, and when it says that nothing fits."""

import asyncio
import json
import time
from pathlib import Path

import numpy as np
import pytest

from gateway.embedding.local import local_embedder
from gateway.offline.answerer import answer, compose, stream_offline
from gateway.offline.quoting import MOST_SENTENCES, Sentence, choose_sentences
from gateway.types import OFFLINE, ChatRequest, Completed, PassageText, TextDelta
from gateway.wording import Script, Weights, is_cjk, script_of, words

EN = PassageText(
    1,
    "Runner",
    "Runners claim turns from the database. Each lease lasts thirty seconds and is renewed every "
    "ten. A fence is a number that grows with every claim.",
)
ZH = PassageText(
    2, "备份", "备份包含数据库与上传的文件。恢复备份时需要密钥文件。默认每天备份一次。"
)
TW = PassageText(3, "備份", "備份包含資料庫與上傳的檔案。還原備份時需要金鑰檔案。")
FAR = PassageText(4, "Ducks", "Mallards eat seeds, plants and small insects. They nest in spring.")


def quoted(question, *passages, embed=None):
    return [(s.n, s.text) for s in choose_sentences(question, passages, embed)]


def test_the_sentence_that_answers_comes_with_its_passage():
    found = quoted("How many seconds does each lease last?", FAR, EN, ZH)
    assert found[0] == (1, "Each lease lasts thirty seconds and is renewed every ten.")


def test_chinese_in_both_scripts_across_scripts():
    assert quoted("恢复备份需要什么？", EN, ZH)[0] == (2, "恢复备份时需要密钥文件。")
    assert quoted("還原備份時需要什麼檔案？", EN, TW)[0] == (3, "還原備份時需要金鑰檔案。")
    assert (2, "备份包含数据库与上传的文件。") in quoted("備份包含哪些文件？", ZH)


def test_what_only_asks_is_never_quoted():
    manual = PassageText(
        5,
        "Manual",
        'Try `ask "How many seconds does each lease last?" --json`. How long is a lease?',
    )
    found = quoted("How many seconds does each lease last?", manual, EN)
    assert {n for n, _text in found} == {1}
    assert quoted("每个租约持续多少秒？", PassageText(6, "问", "每个租约持续多少秒？")) == []


@pytest.mark.parametrize(
    ("question", "passages"),
    [
        ("Who painted the Mona Lisa?", [EN, FAR]),
        ("蒙娜丽莎是谁画的？", [ZH, TW]),
        ("How many seconds does each lease last?", []),
        (" ", [EN]),
        ("???", [EN]),
        ("lease", [PassageText(1, "", "")]),
    ],
)
def test_nothing_fits(question, passages):
    assert choose_sentences(question, passages, None) == []


def test_of_a_text_without_full_stops_the_line_is_quoted():
    table = "\n".join(f"| port {n} | service number {n} listens |" for n in range(60))
    found = quoted("Which service listens at port 17?", PassageText(1, "Ports", table))
    assert found[0] == (1, "| port 17 | service number 17 listens |")


def test_repeated_sentences_are_quoted_once_and_never_many():
    copies = [PassageText(n, "Runner", EN.text) for n in range(1, 9)]
    found = quoted("How many seconds does each lease last?", *copies)
    assert len({text for _, text in found}) == len(found) <= MOST_SENTENCES


def test_reading_order_within_a_passage_best_passage_first():
    text = "The lease is held by a runner. Weather was fine. The lease of a runner lasts long."
    found = choose_sentences(
        "How long does the lease of a runner last?", [FAR, PassageText(2, "", text)], None
    )
    assert [s.position for s in found] == sorted(s.position for s in found)


def test_similarity_finds_what_shares_no_words():
    passages = [
        PassageText(1, "", "The vehicle halted at the crossing. Rain was falling on the roof."),
        PassageText(2, "", "He bought apples. The dog slept through the afternoon."),
    ]
    question = "Where did the car stop?"
    assert choose_sentences(question, passages, None) == []
    found = choose_sentences(question, passages, local_embedder().embed)
    assert found[0].text == "The vehicle halted at the crossing."


def test_markdown_says_what_it_is_in_the_language_of_the_question():
    sentence = Sentence(1, 0, "## Each lease\nlasts thirty [12] seconds.", ())
    after = Sentence(1, 2, "It is renewed.", ())
    other = Sentence(3, 9, "- 三十秒。", ())
    assert compose("How long?", [sentence, after, other]) == [
        "Quoted from your documents; no model is connected:",
        "\n\n> Each lease lasts thirty seconds. [1] … It is renewed. [1]",
        "\n\n> 三十秒。 [3]",
    ]
    assert compose("多长时间？", [after])[0].startswith("以下内容引自您的文档")
    assert compose("多長時間？", [after])[0].startswith("以下內容引自您的文件")
    assert "could not be reached" in compose("How long?", [after], stands_in=True)[0]
    assert answer("Who painted the Mona Lisa?", [FAR]).startswith("Nothing in the documents")


def test_it_streams_like_any_model():
    request = ChatRequest(OFFLINE, (), passages=(EN,), question="How long does each lease last?")

    async def listen():
        return [item async for item in stream_offline(request)]

    *deltas, done = asyncio.run(listen())
    assert all(isinstance(delta, TextDelta) for delta in deltas)
    assert isinstance(done, Completed)
    assert done.is_offline
    assert (done.model, done.endpoint, done.finish_reason) == (OFFLINE, "", "stop")


def test_an_english_answer_from_eight_passages_takes_a_tenth_of_a_second_of_cpu():
    kinds = ["cable", "panel", "motor", "wheel", "valve", "plate", "screw", "handle"]
    text = " ".join(
        f"The {kind} of part {n} is kept in box {n} for a year." for n, kind in enumerate(kinds)
    )
    passages = [PassageText(n, "Parts", text.replace("box", f"box {n}")) for n in range(1, 9)]
    embed = local_embedder().embed
    embed(["warm"])
    spent = []
    for _ in range(5):
        began = time.process_time()
        choose_sentences("Where is the valve of part four kept?", passages, embed)
        spent.append(time.process_time() - began)
    assert min(spent) < 0.15


def test_words_are_stems_and_pairs_without_the_frame_of_a_question():
    assert words("What is the renewing of leases?") == ["renew", "leas"]
    assert words("什么是租約") == ["租", "约", "租约"]


def test_weights_prefer_the_rare():
    weights = Weights([["a", "b"], ["a"], ["a"]])
    assert weights.of("b") > weights.of("a")
    assert weights.coverage(["a", "b"], ["b"]) > 0.5
    assert weights.coverage([], ["a"]) == 0.0


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("How long?", Script.LATIN),
        ("", Script.LATIN),
        ("多长时间", Script.SIMPLIFIED),
        ("多長時間", Script.TRADITIONAL),
        ("Redis 是什么", Script.SIMPLIFIED),
    ],
)
def test_scripts(text, script):
    assert script_of(text) is script
    assert is_cjk(text) is (script is not Script.LATIN)


DATA = Path(__file__).parents[3] / "shared" / "data" / "retrieval"


@pytest.mark.skipif(not DATA.is_dir(), reason="the retrieval data is not on this machine")
@pytest.mark.parametrize(("name", "hits"), [("xquad_en", 0.78), ("xquad_zh", 0.8), ("cmrc", 0.8)])
def test_quotations_hold_the_answer(name, hits):
    """Among eight neighbouring passages, by wording alone; full figures are in the benchmark."""

    def read(file):
        lines = (DATA / name / file).read_text().splitlines()
        return {row["_id"]: row for row in map(json.loads, lines)}

    corpus, queries, answers = map(read, ["corpus.jsonl", "queries.jsonl", "answers.jsonl"])
    relevant = dict(
        line.split("\t")[:2] for line in (DATA / name / "qrels.tsv").read_text().splitlines()[1:]
    )
    ids = list(corpus)
    held = asked = 0
    for key in list(answers)[:: len(answers) // 60]:
        place = ids.index(relevant[key])
        near = [ids[(place + step) % len(ids)] for step in range(8)]
        passages = [
            PassageText(n, corpus[i]["title"], corpus[i]["text"]) for n, i in enumerate(near)
        ]
        found = "".join(s.text for s in choose_sentences(queries[key]["text"], passages, None))
        held += any(a.replace(" ", "") in found.replace(" ", "") for a in answers[key]["answers"])
        asked += 1
    assert held / asked >= hits


def test_vectors_may_come_from_anywhere():
    def embed(texts):
        return np.eye(len(texts), 4, dtype=np.float32)

    assert choose_sentences("How many seconds does each lease last?", [EN], embed) == []
