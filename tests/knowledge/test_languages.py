"""`knowledge.languages`: the language of a passage, cheaply."""

import pytest

from knowledge.languages import guess_language


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "The roof of the house is made of slate, and it does not leak when it rains."),
        ("zh-hans", "这座房子的屋顶是用石板做的，下雨的时候不会漏水。"),
        ("zh-hant", "這座房子的屋頂是用石板做的，下雨的時候不會漏水。"),
        ("ja", "この家の屋根はスレートでできていて、雨が降っても漏れません。"),
        ("ko", "이 집의 지붕은 슬레이트로 되어 있어 비가 와도 새지 않습니다."),
        ("ru", "Крыша дома сделана из сланца и не протекает, когда идёт дождь."),
        ("uk", "Дах будинку зроблений зі сланцю і не протікає, коли йде дощ."),
        ("ar", "سقف المنزل مصنوع من الأردواز ولا يتسرب منه الماء عند هطول المطر."),
        ("de", "Das Dach des Hauses ist mit Schiefer gedeckt und wird auch bei Regen nicht nass."),
        (
            "fr",
            "Le toit de la maison est en ardoise et il ne fuit pas quand il pleut dans le pays.",
        ),
        ("es", "El tejado de la casa es de pizarra y no se moja por dentro con la lluvia."),
        ("it", "Il tetto della casa è di ardesia e non perde anche con la pioggia più forte."),
        ("pt", "O telhado da casa é de ardósia e não deixa entrar água com as chuvas do inverno."),
        ("nl", "Het dak van het huis is van leisteen en lekt niet als het buiten regent."),
        ("", "E3 4711 ACME-2000"),
        ("", ""),
    ],
)
def test_languages(language: str, text: str) -> None:
    assert guess_language(text) == language
