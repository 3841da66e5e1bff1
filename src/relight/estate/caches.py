"""File systems that workloads read from: capacity in the steps that the clouds sell, checked here."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from relight.canonical import Frozen

_EFA_STEP = {125: 38_400, 250: 19_200, 500: 9_600, 1000: 4_800}  # GiB (FSx guide, "EFA-enabled file systems")


class AwsCache(Frozen):
    """FSx for Lustre, filled from the site's store. PERSISTENT_2: 1,200 GiB, or a multiple of 2,400."""

    kind: Literal["fsx-lustre"] = Field(description="FSx for Lustre, PERSISTENT_2")
    gib: int = Field(ge=1200, le=2_000_000, description="capacity: 1200, 2400, 4800, … GiB")
    mb_per_second_per_tib: Literal[125, 250, 500, 1000] = Field(default=250, description="throughput")
    efa: bool = Field(
        default=False,
        description="true: nodes reach it over EFA too; the file system is made anew if this changes",
    )

    @model_validator(mode="after")
    def _is_sold(self) -> AwsCache:
        step = _EFA_STEP[self.mb_per_second_per_tib]
        if self.efa and self.gib % step:
            raise ValueError(
                f"{self.gib} GiB is not sold with EFA at {self.mb_per_second_per_tib} MB/s per TiB; "
                f"write a multiple of {step}: {-(-self.gib // step) * step}"
            )
        if self.gib != 1200 and self.gib % 2400:
            raise ValueError(
                f"{self.gib} GiB is not sold; write 1200 or a multiple of 2400: {-(-self.gib // 2400) * 2400}"
            )
        return self


class ManagedLustre(Frozen):
    """Google Cloud Managed Lustre, in steps that depend on the throughput: the less, the larger they are."""

    kind: Literal["managed-lustre"] = Field(description="Managed Lustre")
    gib: int = Field(
        ge=9000, le=7_632_000, description="capacity: a multiple of 9000 GiB at 1000 MB/s, of 18000 at 500, …"
    )
    mb_per_second_per_tib: Literal[125, 250, 500, 1000] = Field(default=500, description="throughput")

    @model_validator(mode="after")
    def _is_sold(self) -> ManagedLustre:
        step = 9_000_000 // self.mb_per_second_per_tib
        if self.gib % step:
            raise ValueError(
                f"{self.gib} GiB is not sold at this throughput; write a multiple of {step}: "
                f"{-(-self.gib // step) * step}"
            )
        return self


class Filestore(Frozen):
    """Filestore, zonal tier: 1 to 100 TiB, in steps of 256 GiB below 10 TiB and of 2.5 TiB above."""

    kind: Literal["filestore"] = Field(description="Filestore, zonal")
    gib: int = Field(
        ge=1024, le=102_400, description="capacity: 1024, 1280, … GiB; above 9984 in steps of 2560"
    )

    @model_validator(mode="after")
    def _is_sold(self) -> Filestore:
        step = 256 if self.gib < 9984 else 2560
        if self.gib % step and self.gib != 9984:
            raise ValueError(f"{self.gib} GiB is not sold; write {-(-self.gib // step) * step}")
        return self


GoogleCache = Annotated[ManagedLustre | Filestore, Field(discriminator="kind")]
