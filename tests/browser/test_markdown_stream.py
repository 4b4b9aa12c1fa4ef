"""A streamed answer ends as the same elements as the whole answer drawn at once."""

import pytest
from playwright.sync_api import Page

from tests.browser.corpus import RICH

WHOLE_AND_SPLITS = """([text, step]) => {
  const out = document.getElementById("out");
  const cites = new Set(["1", "2", "3"]);
  const draw = (parts) => {
    out.replaceChildren();
    const stream = new MarkdownStream(out, { cites });
    for (const part of parts) { stream.push(part); stream.flush(); }
    stream.end();
    for (const el of out.querySelectorAll(":scope > .far")) {  // out of sight: laid out later
      el.classList.remove("far");
      if (!el.className) el.removeAttribute("class");
    }
    return out.innerHTML;
  };
  const whole = draw([text]);
  const wrong = [];
  for (let at = 1; at < text.length; at += step) {
    const streamed = draw([text.slice(0, at), text.slice(at)]);
    if (streamed !== whole) wrong.push({ at, streamed });
  }
  for (const size of [1, 2, 3, 7]) {
    const parts = text.match(new RegExp(`[^]{1,${size}}`, "g"));
    if (draw(parts) !== whole) wrong.push({ size, streamed: out.innerHTML });
  }
  return { whole, wrong: wrong.slice(0, 2) };
}"""


@pytest.mark.parametrize("name", RICH)
def test_every_split_ends_as_the_whole(module_page: Page, name: str) -> None:
    result = module_page.evaluate(WHOLE_AND_SPLITS, [RICH[name], 1])
    assert result["whole"]
    assert not result["wrong"], result


def test_all_of_it_in_one_answer(module_page: Page) -> None:
    text = "\n\n".join(part for name, part in RICH.items() if name != "open fence")
    result = module_page.evaluate(WHOLE_AND_SPLITS, [text, 17])
    assert not result["wrong"], result


def draw(page: Page, text: str) -> str:
    return page.evaluate(
        """(text) => {
          const out = document.getElementById("out");
          out.replaceChildren();
          const stream = new MarkdownStream(out, { cites: new Set(["1", "2"]) });
          stream.push(text);
          stream.end();
          return out.innerHTML;
        }""",
        text,
    )


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("是[1]。", '<p>是<a class="cite" href="#source-1" aria-label="Source 1">1</a>。</p>'),
        ("no [9] source", "<p>no [9] source</p>"),
        ("「**測試**」是", "<p>「<strong>測試</strong>」是</p>"),
        ("## Title\n\n#### Deep\n\n# Up", "<h3>Title</h3>\n<h4>Deep</h4>\n<h3>Up</h3>"),
        ("- [x] done", '<ul>\n<li class="task-item"><span class="task">☑</span> done</li>\n</ul>'),
        ("|a|\n|-:|\n|1|", '<th data-align="right">a</th>'),
        ("```py\nx\n```", '<pre data-lang="py"><code class="language-py">x\n</code></pre>'),
        ("$x$ costs $5 and $6", '<span class="tex" data-tex="x">x</span> costs $5 and $6'),
        ("![p](https://a.example/b.png)", ">p (a.example)</a>"),
        ("https://a.example/x", '<a href="#away" class="away" data-url="https://a.example/x">'),
        ("[1]: https://a.example", ">1</a>: "),
    ],
)
def test_markup(module_page: Page, text: str, html: str) -> None:
    assert html in draw(module_page, text)


def test_an_open_fence_grows_without_being_drawn_again(module_page: Page) -> None:
    kept = module_page.evaluate(
        """() => {
          const stream = new MarkdownStream(document.getElementById("out"));
          stream.push("```py\\nfirst\\n"); stream.flush();
          const text = document.querySelector("code").firstChild;
          stream.push("second\\n"); stream.flush();
          return text.isConnected && text.data;
        }"""
    )
    assert kept == "first\nsecond\n"


def test_what_stands_before_a_change_is_kept(module_page: Page) -> None:
    """A reader's selection in the growing block survives the next words."""
    assert module_page.evaluate(
        """() => {
          const stream = new MarkdownStream(document.getElementById("out"));
          stream.push("- first\\n- sec"); stream.flush();
          const first = document.querySelector("li");
          stream.push("ond\\n- third"); stream.flush();
          return first.isConnected && document.querySelectorAll("li").length === 3;
        }"""
    )


def test_the_answer_never_becomes_shorter_while_it_grows(module_page: Page) -> None:
    """A page that follows its end would pull down what is being read."""
    link = "[short](https://a.example/" + "long-" * 60 + ")"
    text = f"Above it.\n\nWords {link} and\n\n$$\nx = \\frac{{1}}{{2}}\n$$\n\nbelow it."
    heights = module_page.evaluate(
        """async (text) => {
          const out = document.getElementById("out");
          const stream = new MarkdownStream(out, { onDraw: drawFormulas });
          const heights = [];
          for (const letter of text) {
            stream.push(letter);
            stream.flush();
            heights.push(out.offsetHeight);
          }
          stream.end();
          return { heights, style: out.getAttribute("style") };
        }""",
        text,
    )
    assert heights["heights"] == sorted(heights["heights"])
    assert heights["style"] is None


FORMULAS = """async () => {
  const stream = new MarkdownStream(document.getElementById("out"), { onDraw: drawFormulas });
  const write = (text) => { stream.push(text); stream.flush(); };
  write("Sum: $a+b$ and");
  while (!document.querySelector(".md-live .katex")) {  // fetched with the first formula
    await new Promise(requestAnimationFrame);
    write(" so");
  }
  write(" on, $\\\\nothing{$\\n\\n$$\\nx = 1");
  const open = document.querySelector(".tex-open").textContent;
  write("\\n$$\\n");
  const closed = document.querySelector(".tex-block .katex") !== null;
  const wrong = document.querySelectorAll(".tex")[1].textContent;
  return { open, closed, wrong };
}"""


def test_a_formula_is_drawn_when_it_is_closed(module_page: Page) -> None:
    found = module_page.evaluate(FORMULAS)
    assert found == {"open": "\nx = 1", "closed": True, "wrong": "\\nothing{"}


def test_twenty_thousand_tokens_do_not_hold_the_page(module_page: Page) -> None:
    """The processor's time, with layout, not the clock's: other work may share the machine."""
    devtools = module_page.context.new_cdp_session(module_page)
    devtools.send("Performance.enable", {"timeDomain": "threadTicks"})

    def spent() -> float:
        metrics = devtools.send("Performance.getMetrics")["metrics"]
        return float({metric["name"]: metric["value"] for metric in metrics}["TaskDuration"])

    before = spent()
    module_page.evaluate(
        """async (block) => {
          const stream = new MarkdownStream(document.getElementById("out"));
          const text = block.repeat(Math.ceil(80_000 / block.length));
          for (let at = 0; at < text.length; at += 160) {
            stream.push(text.slice(at, at + 160));
            stream.flush();
            if (at % 8000 === 0) await new Promise(requestAnimationFrame);
          }
          stream.end();
        }""",
        RICH["prose"] + "\n" + RICH["table"] + "\n" + RICH["code"] + "\n" + RICH["lists"],
    )
    assert 0 < spent() - before < 10
    devtools.detach()
