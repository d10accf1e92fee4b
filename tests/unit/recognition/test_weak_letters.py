"""What the recogniser is sure of and wrong about: small accents, letters beside each other, signs of another kind."""

import numpy as np
import pytest
from numpy.typing import NDArray

from ocr_engine.recognition.ctc import Decoder, Doubt
from ocr_engine.recognition.fields import numbers
from ocr_engine.recognition.letters.correction import Letters
from tests.readings import evenly, line_of

CZECH = "Může umístit žluťoučký kůň, nechť úpí ďábelské ódy, aby byl celý den v pořádku. Každý má právo na život."
SLOVAK = "Spustiteľné súbory, aby používateľ mohol premenovať ďalšie, a každý má právo na život v slobode."
DANISH = "Æbler og pærer skal man spise hver dag, og alle mennesker er født frie og lige i værdighed."
NORWEGIAN = "Alle har rett til å føre et samtykke, og ingen må holdes i slaveri eller trelldom på grunn av det."
ROMANIAN = "Toate ființele umane se nasc libere și egale în demnitate și în drepturi, cu rațiune și conștiință."
TURKISH = "Bütün insanlar hür doğarlar. İlk öğretim herkes için parasızdır, ve kardeşlik zihniyeti ile yaşarlar."


@pytest.fixture(scope="module")
def letters() -> Letters:
    return Letters()


def decided(letters: Letters, text: str, *doubts: Doubt) -> str:
    (found,) = letters.decided([evenly(text, doubts=doubts)])
    assert len(found.places) == len(found.certainty) == len(found.text)
    assert list(found.places) == sorted(found.places)
    return found.text


@pytest.mark.parametrize(
    ("right", "read"),
    [
        (CZECH, CZECH.replace("nechť", "necht'").replace("ďábelské", "d'ábelské")),
        (SLOVAK, SLOVAK.replace("premenovať", "premenovat").replace("ďalšie", "d'alšie").replace("teľ ", "tel' ")),
        (DANISH, DANISH.replace("Æbler", "AEbler")),
        (ROMANIAN, ROMANIAN.replace("ș", "ş").replace("ț", "ţ")),
        (TURKISH, TURKISH.replace("İlk", "ilk")),
    ],
    ids=["cs", "sk", "da", "ro", "tr"],
)
def test_a_letter_that_the_model_is_sure_of_gives_way_to_the_one_that_the_language_writes(
    letters: Letters, right: str, read: str
) -> None:
    assert decided(letters, right) == right
    assert decided(letters, read) == right


@pytest.mark.parametrize(
    "text",
    [
        "Don't tell her that it'll be all right, and that he'd better be at home; AEG is a company.",
        "C'est l'heure d'aller à l'école, et l'on dit qu'il n'a pas d'argent pour acheter du pain.",
    ],
)
def test_an_apostrophe_of_another_language_is_no_caron(letters: Letters, text: str) -> None:
    assert decided(letters, text) == text


def test_a_word_of_one_letter_gets_the_accent_of_its_language(letters: Letters) -> None:
    read = NORWEGIAN.replace("til å", "til à")
    doubt = Doubt(read.index("à"), 1, (("à", 0.9), ("å", 0.05)))
    assert decided(letters, read, doubt) == NORWEGIAN


def test_a_letter_of_greek_within_a_latin_word_is_none(letters: Letters) -> None:
    read = DANISH.replace("frie", "frιe")
    doubt = Doubt(read.index("ι"), 1, (("ι", 0.7), ("i", 0.2)))
    assert decided(letters, read, doubt) == DANISH


def spelt(text: str, read: str, *seen: tuple[str, float]) -> Doubt:
    """What the recogniser saw instead of the first letter of `read` within a text."""
    at = text.index(read)
    return Doubt(at, 1, ((text[at], 1 - sum(probability for _, probability in seen)), *seen))


def test_an_accent_that_is_hardly_ever_seen_by_chance_is_one_however_little_it_is_seen(letters: Letters) -> None:
    read = SLOVAK.replace("používateľ", "používatel").replace("mohol", "mohoľ")
    read = read.replace("premenovať", "premenovat")
    caron = spelt(read, "t ď", ("ť", 0.004))
    assert "premenovať ďalšie" in decided(letters, read, caron)
    turkish = TURKISH.replace("parasızdır", "parasizdir")
    dotless = [spelt(turkish, end, ("ı", 0.02)) for end in ("izd", "ir,")]
    assert decided(letters, turkish, *dotless) == TURKISH
    # in a language whose plain letter is often taken for it, as little says nothing
    read = "Każdy człowiek ma prawo do życia i wolności, a wszyscy ludzie rodza się wolni i równi w godności."
    assert decided(letters, read, spelt(read, "a się", ("ą", 0.002))) == read


@pytest.mark.parametrize(
    ("read", "right"),
    [
        ("Dalšie súbory, každý má právo na život.", "Ďalšie súbory, každý má právo na život."),
        ("Žalšie súbory, každý má právo na život.", "Ďalšie súbory, každý má právo na život."),
        (
            "Gimene ir tiesīga uz sabiedrības un valsts aizsardzību.",
            "Ģimene ir tiesīga uz sabiedrības un valsts aizsardzību.",
        ),
    ],
)
def test_a_capital_whose_accent_the_recogniser_hardly_ever_sees_has_it_where_the_language_wants_it(
    letters: Letters, read: str, right: str
) -> None:
    assert decided(letters, read) == right
    assert decided(letters, right) == right


def test_a_lost_capital_comes_back_with_its_accent(letters: Letters) -> None:
    read = "Každý má právo na život v slobode. ažko povedať, či je to pravda."
    lost = Doubt(read.index("ažko"), 0, (("", 0.75), ("T", 0.11), ("Ž", 0.09)))
    assert decided(letters, read, lost) == read.replace("ažko", "Ťažko")


def test_an_accent_that_the_language_does_not_have_is_the_one_that_it_has(letters: Letters) -> None:
    read = "Katram cilvēkam ir tiesības uz dzīvību. Édiens bija ļoti garšīgs un silts."
    foreign = spelt(read, "Édiens", ("Ë", 0.2), ("Ě", 0.15), ("E", 0.08))
    assert decided(letters, read, foreign) == read.replace("Édiens", "Ēdiens")


def test_the_recogniser_s_scores_leave_accents_open_down_to_a_thousandth_and_other_letters_do_not() -> None:
    signs = "atťáx"
    steps = scored("_a_t_", signs)
    steps[3, [1 + signs.index(sign) for sign in "tťx"]] = 0.99, 0.004, 0.004
    read = Decoder(signs).decoded(line_of(steps), 1.0)
    assert read.text == "at"
    (open_,) = [doubt for doubt in read.doubts if not doubt.is_gap]
    assert [choice for choice, _ in open_.choices] == ["t", "ť"]


def scored(steps: str, signs: str) -> NDArray[np.float32]:
    """Scores of steps that show one sign each, `_` for a blank."""
    classes = {"_": 0, " ": len(signs) + 1} | {sign: i for i, sign in enumerate(signs, 1)}
    scores = np.full((len(steps), len(classes)), 1e-6, np.float32)
    scores[np.arange(len(steps)), [classes[step] for step in steps]] = 0.999
    return scores


def test_a_narrow_letter_over_three_steps_is_two_where_the_language_wants_it(letters: Letters) -> None:
    merged = ROMANIAN.replace("ii", "i")
    steps = "_".join(ROMANIAN).replace("i_i", "iii")
    signs = "".join(sorted({*ROMANIAN} - {" "}))
    read = Decoder(signs).decoded(line_of(scored(steps, signs)), 1.0)
    assert read.text == merged
    assert letters.decided([read])[0].text == ROMANIAN
    # one step each: there is no second one
    once = Decoder(signs).decoded(line_of(scored("_".join(merged), signs)), 1.0)
    assert letters.decided([once])[0].text == merged


@pytest.mark.parametrize(
    ("read", "right"),
    [
        ("entro il 3o giugno", "entro il 30 giugno"),
        ("de jaren '9o, zei", "de jaren '90, zei"),
        ("spółki z o.0.", "spółki z o.o."),
        ("2o2 3oz 1.o v2o S3o", "2o2 3oz 1.o v2o S3o"),
    ],
)
def test_a_small_o_behind_digits_is_a_nought(read: str, right: str) -> None:
    assert numbers.put_right(read) == right


def test_thorn_comes_back_where_icelandic_wants_it(letters: Letters) -> None:
    right = "Það er réttur hvers manns að allir þeir, sem þjóðfélagið mynda, njóti þessara réttinda."
    assert decided(letters, right.replace("þ", "p").replace("Þ", "P")) == right
    assert decided(letters, right) == right


def test_a_hint_at_thorn_is_one(letters: Letters) -> None:
    """In a line whose words are new to the model, which then hardly speaks."""
    read = "Verð með virðisaukaskatti er búsund krónur, og Pórður bíður við veginn."
    seen = Doubt(read.index("b"), 1, (("b", 0.9), ("þ", 0.05))), Doubt(read.index("P"), 1, (("P", 0.85), ("Þ", 0.15)))
    assert decided(letters, read, *seen) == read.replace("bú", "þú").replace("Pó", "Þó")


def test_a_model_of_little_prose_decides_in_a_line_of_words_that_are_new_to_it(letters: Letters) -> None:
    read = "Ég á að mæta á skrifstofuna á priðjudag."
    doubt = Doubt(read.index("priðju"), 1, (("p", 0.89), ("b", 0.015), ("þ", 0.065)))
    assert decided(letters, read, doubt) == read.replace("priðju", "þriðju")


@pytest.mark.parametrize(("unsure", "shown"), [(9, "užšalo anksčiau nei"), (60, "už šalo anksčiau nei")])
def test_a_space_that_is_hardly_seen_is_one_the_sooner_the_more_of_the_page_s_spaces_are_unsure(
    letters: Letters, unsure: int, shown: str
) -> None:
    text = " ".join(["Šią žiemą ežerai užšalo anksčiau nei įprastai, o žmonės ėjo į turgų."] * 6)
    spaces = [at for at, sign in enumerate(text) if sign == " "][-unsure:]
    doubts = [Doubt(text.index("šalo"), 0, ((" ", 0.0002), ("", 0.9998)))]
    doubts += [Doubt(at, 1, ((" ", 0.5), ("", 0.5))) for at in spaces if at > doubts[0].at]
    assert shown in decided(letters, text, *doubts)


@pytest.mark.parametrize(
    ("read", "right"),
    [
        ("Fjemer alle filer som ikke er i bruk, og ingen må holdes i slaveri.", "Fjerner"),
        ("ledzīvotāju balss ir brīva, un katram ir tiesības uz dzīvību.", "Iedzīvotāju"),
        ("Alle mennesker har ret til at væere frie, og ingen må holdes i slaveri.", "være"),
        ("Súbor je možné uložif a každý má právo na život v slobode.", "uložiť"),
    ],
    ids=["rn", "I", "æ", "ť"],
)
def test_what_looks_like_other_letters_is_them_where_the_language_wants_it(
    letters: Letters, read: str, right: str
) -> None:
    assert right in decided(letters, read).split()


def test_an_m_and_an_l_that_the_language_wants_stay(letters: Letters) -> None:
    text = "Same time tomorrow, my lord: let him lend them some money from home, last summer he came alone."
    assert decided(letters, text) == text


def test_an_l_behind_a_small_letter_and_before_a_capital_stays(letters: Letters) -> None:
    text = "Press CtrlD to leave, and do not forget that the file will be lost."
    at = text.index("lD")
    assert decided(letters, text, Doubt(at, 1, (("l", 0.6), ("I", 0.35), ("i", 0.3)))) == text


@pytest.mark.parametrize(
    ("text", "accented"),
    [
        ("Il y a du bœuf et des œufs, et tout le monde en mange le soir.", "œu"),
        ("Il mange des maïs dans la rue.", "ïs"),
    ],
)
def test_an_accent_that_was_read_stays_where_it_is_likelier_than_the_plain_letter(
    letters: Letters, text: str, accented: str
) -> None:
    at = text.index(accented)
    plain = {"œ": "o", "ï": "i"}[text[at]]
    assert decided(letters, text, Doubt(at, 1, ((text[at], 0.9), (plain, 0.05)))) == text


def test_an_ae_that_was_read_as_two_letters_is_one(letters: Letters) -> None:
    read = DANISH.replace("værdighed", "vaerdighed")
    doubt = Doubt(read.index("aerd"), 1, (("a", 0.9), ("æ", 0.05)))
    assert decided(letters, read, doubt) == DANISH


@pytest.mark.parametrize("line", ["llość osób w domu.", "Każdy ma prawo do życia. llość osób jest duża."])
def test_an_l_where_a_line_or_sentence_begins_is_an_i_sooner_than_within_one(letters: Letters, line: str) -> None:
    assert decided(letters, f"{line} Wszyscy ludzie rodzą się wolni i równi.").count("Ilość") == 1
