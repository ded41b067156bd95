"""What is put right in the emulator."""

from __future__ import annotations

from local.stack.fixups import with_batches


def test_a_policy_that_allows_a_single_call_allows_its_batch() -> None:
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "arn:q"},
            {"Effect": "Allow", "Action": ["sqs:ReceiveMessage"], "Resource": "arn:q"},
        ],
    }

    widened = with_batches(policy)

    assert widened["Version"] == "2012-10-17"
    assert widened["Statement"][0]["Action"] == ["sqs:SendMessage", "sqs:SendMessageBatch"]
    assert widened["Statement"][1] == policy["Statement"][1]


def test_a_policy_that_was_put_right_before_stays_as_it_is() -> None:
    once = with_batches(
        {"Statement": [{"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "arn:q"}]}
    )

    assert with_batches(once) == once
