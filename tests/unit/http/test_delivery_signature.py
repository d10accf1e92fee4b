"""Receivers verify our webhooks with a library that is not ours."""

from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import Mock

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from app.delivery.secrets import Secrets
from app.delivery.signature import BadSecret, new_secret, signed

BODY = b'{"type":"job.done"}'


def test_a_signature_is_verified_by_standardwebhooks() -> None:
    secret = new_secret()
    assert Webhook(secret).verify(BODY, dict(signed("msg_1", datetime.now(UTC), BODY, [secret])))


def test_during_a_rotation_either_secret_verifies() -> None:
    old, new = new_secret(), new_secret()
    headers = dict(signed("msg_1", datetime.now(UTC), BODY, [new, old]))
    assert Webhook(old).verify(BODY, headers)
    assert Webhook(new).verify(BODY, headers)


def test_another_body_or_secret_is_not_verified() -> None:
    headers = dict(signed("msg_1", datetime.now(UTC), BODY, [new_secret()]))
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret()).verify(BODY, headers)


def test_without_a_secret_nothing_is_signed() -> None:
    assert set(signed("msg_1", datetime.now(UTC), BODY, [])) == {"webhook-id", "webhook-timestamp"}


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_c2hvcnQ=", "plain-words", "whsec_!!!!", "whsec_" + "A" * 200])
def test_what_is_no_secret_is_refused_without_repeating_it(secret: str) -> None:
    with pytest.raises(BadSecret) as refused:
        signed("msg_1", datetime.now(UTC), BODY, [secret])
    assert not secret or secret == "whsec_" or secret not in str(refused.value)


def test_the_secrets_of_a_key_go_before_those_of_the_service() -> None:
    own, common = new_secret(), new_secret()
    signing = Secrets(common, "", lambda name: [own] if name == "ann" else [])
    assert (signing.of("ann"), signing.of("bob")) == ((own,), (common,))


def test_a_file_of_secrets_is_read_again_when_it_changes_and_bad_ones_change_nothing(tmp_path: Path) -> None:
    file, first, second = tmp_path / "secrets", new_secret(), new_secret()
    file.write_text(f"# of the receiver\n{first}\n")
    signing = Secrets("", str(file))
    assert signing.of("") == (first,)
    file.write_text(f"{second}\n{first}  # until Friday\n")
    assert signing.of("") == (second, first)
    file.write_text("whsec_torn")
    assert signing.of("") == (second, first)
    file.unlink()
    assert signing.of("") == (second, first)
    assert signing.any


def test_a_service_with_what_is_no_secret_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(BadSecret) as caught:
        Secrets(f"{new_secret()},whsec_c2hvcnQ=", "")
    assert "c2hvcnQ" not in str(caught.value)
    with pytest.raises(FileNotFoundError):
        Secrets("", str(tmp_path / "none"))
    (tmp_path / "picture").write_bytes(b"\xff\xd8\xff")
    with pytest.raises(BadSecret):
        Secrets("", str(tmp_path / "picture"))


def test_a_file_of_secrets_that_could_not_be_read_for_a_moment_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, first, second = tmp_path / "secrets", new_secret(), new_secret()
    file.write_text(first)
    signing = Secrets("", str(file))
    file.write_text(f"{second}\n{first}")
    with monkeypatch.context() as broken:
        broken.setattr(Path, "read_text", Mock(side_effect=OSError("stale handle")))
        assert signing.of("") == (first,)
    assert signing.of("") == (second, first)
