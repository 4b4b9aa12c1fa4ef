"""What programs send and get about embedding versions; each with an example."""

from datetime import datetime
from uuid import UUID

from ninja import Field, Schema

from knowledge.embeddings import overview
from knowledge.embeddings.estimates import Estimate
from knowledge.models import EmbeddingVersion
from knowledge.schemas import AT, example
from security.schemas import WriteSchema

MODEL = "all-MiniLM-L6-v2"
REST = {"passages": 1200, "tokens": 96_000, "cost": "0.0000", "currency": "", "seconds": 38.0}


class ForceQuery(Schema):
    force: bool = Field(False, description="Although golden questions lose; it is logged.")


class EstimateOut(Schema):
    """Of what is still to be embedded; `null` where nobody knows."""

    passages: int
    tokens: int
    cost: str | None = Field(examples=["4.2000"])
    currency: str
    seconds: float | None

    @staticmethod
    def resolve_cost(found: Estimate) -> str | None:
        return None if found.cost is None else f"{found.cost:f}"


class VersionOut(Schema):
    id: int = Field(alias="version.id")
    model: str = Field(alias="version.model", examples=[MODEL])
    dimensions: int = Field(alias="version.dimensions", examples=[384])
    storage: str = Field(alias="version.storage", examples=["half"])
    state: str = Field(alias="version.state", examples=["active"])
    rate: float | None = Field(alias="version.rate")
    created_at: datetime = Field(alias="version.created_at")
    vectors: int
    passages: int
    bytes: int
    is_indexed: bool
    rest: EstimateOut | None
    job_id: UUID | None = None
    reason: str

    model_config = example(
        id=2, model=MODEL, dimensions=384, storage="half", state="active", rate=31.5,
        created_at=AT, vectors=10_800, passages=12_000, bytes=24_576_000, is_indexed=True,
        rest=REST, job_id=None, reason="",
    )  # fmt: skip

    @staticmethod
    def resolve_job_id(shown: overview.Shown) -> UUID | None:
        return shown.job.pk if shown.job else None


class ChoiceOut(Schema):
    """A way of keeping the vectors, with what was measured of it."""

    storage: str = Field(examples=["half"])
    recall: float | None
    bytes: int | None
    p50_ms: float | None


class AnotherOut(Schema):
    model: str
    estimate: EstimateOut
    choices: list[ChoiceOut]
    taken: list[str]
    is_being_measured: bool = False
    reason: str

    model_config = example(
        model=MODEL, estimate=REST,
        choices=[{"storage": "half", "recall": 0.998, "bytes": 24_576_000, "p50_ms": 1.9}],
        taken=["float"], is_being_measured=False, reason="",
    )  # fmt: skip

    @staticmethod
    def resolve_is_being_measured(found: overview.Another) -> bool:
        return found.measuring is not None


class ModelQuery(Schema):
    model: str = Field(max_length=120, examples=[MODEL])


class ModelIn(WriteSchema):
    model: str = Field(max_length=120, examples=[MODEL])

    model_config = example(model=MODEL)


class VersionIn(ModelIn):
    storage: EmbeddingVersion.Storage = Field(
        EmbeddingVersion.Storage.HALF, description="`float`, `half` or `binary`."
    )

    model_config = example(model=MODEL, storage="half")


class FootprintOut(Schema):
    """Bytes on the disk, without indexes; rows are weighed by some of them."""

    files: int = Field(description="As they were taken in, of the versions that are searched.")
    versions: int = Field(description="Files of versions that are kept beside those.")
    texts: int = Field(description="What was read, and the passages.")
    vectors: int = Field(description="Of all embedding versions.")
    repositories: int = Field(description="Copies of git repositories.")
    total: int

    model_config = example(
        files=184_213, versions=90_120, texts=410_000, vectors=440_640, repositories=0,
        total=1_124_973,
    )  # fmt: skip


class ShareOut(Schema):
    """How many passages of a collection are found by their vectors too."""

    model: str
    dimensions: int
    storage: str
    vectors: int
    passages: int
    bytes: FootprintOut

    model_config = example(
        model=MODEL, dimensions=384, storage="half", vectors=510, passages=512,
        bytes={"files": 184_213, "versions": 0, "texts": 410_000, "vectors": 440_640,
               "repositories": 0, "total": 1_034_853},
    )  # fmt: skip
