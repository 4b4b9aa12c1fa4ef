"""Every module of the chat page is named in its head; what is loaded on demand is not."""

from config.templatetags.modules import imported_modules, module_preloads


def test_all_static_imports_are_found_and_no_lazy_one():
    found = imported_modules(("chat/page.js", "js/shell.js"))
    assert {"chat/thread.js", "chat/answer.js", "js/toast.js", "js/i18n.js"} <= set(found)
    assert not {"vendor/markdown.js", "vendor/katex.js", "js/diagrams.js"} & set(found)
    assert "vendor/markdown.js" in imported_modules(("js/enhance.js",))
    assert len(found) == len(set(found))


def test_each_is_one_link_and_the_entry_is_none():
    html = module_preloads("js/shell.js")
    assert html.count("<link") == html.count('rel="modulepreload"') == html.count("\n") + 1
    assert "js/http" in html
    assert "js/shell" not in html
