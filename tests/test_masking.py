"""What goes into reports holds no secrets, and no more text than a reader reads."""

import time

import pytest

from glusto.masking import HEAD, TAIL, Mask, cut


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("PGPASSWORD=abc psql", "PGPASSWORD=*** psql"),
        ("curl -H 'X-Api-Key: abc'", "curl -H 'X-Api-Key: ***'"),
        ('{"token":"abc","user":"me"}', '{"token":"***","user":"me"}'),
        ("password: 'a b c'", "password: '***'"),
        ("run --db-password abc --port 1", "run --db-password *** --port 1"),
        ("ssh://me:abc@host/x", "ssh://me:***@host/x"),
        ("Authorization: Basic YWJj", "Authorization: Basic ***"),
        ("AWS_SECRET_ACCESS_KEY=abc/def+1", "AWS_SECRET_ACCESS_KEY=***"),
    ],
)
def test_what_follows_a_secret_word_is_hidden(text: str, masked: str) -> None:
    assert Mask()(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        'File "/src/test_token.py", line 12, in test_secret',
        "the password is wrong",
        "if token == other: pass",
        "http://host:8080/a@b",
        "test_auth.TestTokens.test_passwords",
    ],
)
def test_other_words_stay(text: str) -> None:
    assert Mask()(text) == text


def test_secret_values_of_the_config_are_hidden_wherever_they_turn_up() -> None:
    hide = Mask({"db": {"password": "hunter22", "user": "me"}, "tokens": ["abcd-1", "abcd-12"], "pin_secret": 7})
    assert hide("echo hunter22 abcd-12 abcd-1 me 7") == "echo *** *** *** me 7"


def test_long_texts_are_masked_in_no_time() -> None:
    began = time.process_time()
    Mask()("x" * 200_000 + "password" * 2000)
    assert time.process_time() - began < 1


def test_the_middle_of_a_long_text_is_left_out_between_lines() -> None:
    text = "".join(f"line {number}\n" for number in range(10_000))
    short = cut(text)
    assert len(short) < HEAD + TAIL + 100
    first, _, last = short.partition("[… ")
    assert text.startswith(first) and first.endswith("\n")
    assert text.endswith(last.partition("]\n")[2]) and last.partition("]\n")[2].startswith("line ")
    assert f"{len(text) - len(first) - len(last.partition(chr(10))[2]):,} characters" in last
