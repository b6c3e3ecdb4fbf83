"""The fingerprint of a token."""

from __future__ import annotations

from alyx_client.auth.token import identity


def test_identity_distinguishes_tokens_and_hides_them() -> None:
    assert identity("T1") == identity("T1")
    assert identity("T1") != identity("T2")
    assert len(identity("T1")) == 32
    assert int(identity("T1"), 16)
