"""What the account key has to permit the warm key, message type by message type, as releases differ in it.

Source: gonka-ai/gonka, `inference-chain/x/inference/permissions.go`, InferenceOperationKeyPerms (gonka-contract 6.3).
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_INFERENCE, _BLS = "/inference.inference.", "/inference.bls."


def _types(inference: str, bls: str) -> tuple[str, ...]:
    found = [f"{_INFERENCE}Msg{name}" for name in inference.split()]
    return (*found, *(f"{_BLS}Msg{name}" for name in bls.split()))


CURRENT = "0.2.13"

RELEASES: Mapping[str, Sequence[str]] = MappingProxyType(
    {
        "0.2.0": _types(
            "StartInference FinishInference ClaimRewards Validation SubmitPocBatch SubmitPocValidation SubmitSeed "
            "BridgeExchange SubmitTrainingKvRecord JoinTraining JoinTrainingStatus TrainingHeartbeat SetBarrier "
            "ClaimTrainingTaskForAssignment AssignTrainingTask SubmitNewUnfundedParticipant SubmitNewParticipant "
            "SubmitHardwareDiff InvalidateInference RevalidateInference",
            "SubmitDealerPart SubmitVerificationVector RequestThresholdSignature SubmitPartialSignature "
            "SubmitGroupKeyValidationSignature",
        ),
        CURRENT: _types(
            "StartInference FinishInference ClaimRewards Validation SubmitPocBatch SubmitPocValidationsV2 "
            "PoCV2StoreCommit MLNodeWeightDistribution SubmitSeed BridgeExchange SubmitNewUnfundedParticipant "
            "SubmitHardwareDiff InvalidateInference RevalidateInference",
            "SubmitDealerPart SubmitVerificationVector RespondDealerComplaints RequestThresholdSignature "
            "SubmitPartialSignature SubmitGroupKeyValidationSignature",
        ),
    }
)
"""Message types (type URLs) by the release whose command grants them: 25 in the first, 20 in the current one."""


def short(message: str) -> str:
    """A type URL as people say it: `MsgClaimRewards`."""
    return message.rpartition(".")[2]
