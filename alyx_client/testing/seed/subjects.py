"""Seeds: people, repositories, labs and subjects."""

from __future__ import annotations

from typing import Any

from alyx_client.testing.records.relations import LOCAL_DATA_URL
from alyx_client.testing.seed.record_maker import RecordMaker, key_of

PUBLIC_USER = "visitor"

SUBJECTS: tuple[tuple[str, str, str | None, dict[str, Any]], ...] = (
    ("flowers", "cortexlab", "olivier", {"sex": "F", "birth_date": "2019-08-01", "json": {"cage": 12}}),
    ("clover", "cortexlab", "olivier", {"sex": "M", "birth_date": "2019-09-15", "line": "Rosa"}),
    ("437", "hillside", "amina", {"sex": "M", "birth_date": "2019-07-20", "death_date": "2020-12-01"}),
    ("tulip.02", "hillside", "amina", {"sex": "U", "description": "A subject with a dot in its name"}),
    ("NR_001", "hillside", "bo", {"sex": "", "birth_date": "2019-10-10", "species": None, "litter": "L-7"}),
    ("heron", "cortexlab", "stock_keeper", {"sex": "F", "source": None, "strain": "C57BL/6J"}),
    ("plover", "cortexlab", None, {"sex": "M", "birth_date": "2020-01-01"}),
)


class LaboratorySeeds(RecordMaker):
    """The people, equipment and subjects of a laboratory."""

    def people(self) -> None:
        """Create users and projects."""
        people: tuple[tuple[str, dict[str, Any]], ...] = (
            ("admin", {"is_superuser": True, "is_staff": True, "email": "admin@example.org"}),
            ("olivier", {"is_staff": True, "email": "olivier@example.org", "labs": ["cortexlab"]}),
            ("amina", {"labs": ["hillside", "cortexlab"]}),
            ("bo", {"labs": ["hillside"]}),
            ("stock_keeper", {"is_stock_manager": True}),
            (PUBLIC_USER, {"is_public_user": True}),
        )
        for name, values in people:
            self.add("users", name, username=name, **values)
        olivier, amina = key_of("users", "olivier"), key_of("users", "amina")
        self.store.update("users", olivier, {"allowed_users": [amina]})
        self.add("projects", "practice", name="practice", description="First steps", users=["olivier"])
        self.add("projects", "brain_map", name="brain_map", users=["olivier", "amina"])
        self.add("projects", "idle", name="idle", description="", users=[])

    def repositories(self) -> None:
        """Create data repositories."""
        self.add("data-repository-type", "Server", name="Server", json={"protocol": "http"})
        self.add("data-repository-type", "Personal", name="Personal")
        self.add(
            "data-repository",
            "data_server",
            name="data_server",
            repository_type="Server",
            globus_is_personal=False,
            globus_path="/data/",
            hostname="localhost",
            data_url=LOCAL_DATA_URL,
            timezone="Europe/London",
            json={"status": "active"},
        )
        self.add(
            "data-repository",
            "cortexlab_rig",
            name="cortexlab_rig",
            repository_type="Personal",
            globus_is_personal=True,
            globus_path="/mnt/data/",
            globus_endpoint_id=key_of("endpoint", "cortexlab_rig"),
        )
        self.add("data-repository", "attic", name="attic", data_url="")

    def labs(self) -> None:
        """Create labs, locations, tags and revisions."""
        self.add(
            "labs",
            "cortexlab",
            name="cortexlab",
            institution="Institute of Mazes",
            repositories=["data_server", "cortexlab_rig"],
            timezone="Europe/London",
            reference_weight_pct=0.85,
            zscore_weight_pct=0.0,
        )
        self.add("labs", "hillside", name="hillside", repositories=["data_server"], json={"rooms": 3})
        self.add("labs", "attic", name="attic", address="Under the roof")
        for name, lab, equipment in (
            ("rig-1", "cortexlab", None),
            ("rig-2", "cortexlab", {"camera": True}),
            ("bench", "hillside", None),
        ):
            self.add("locations", name, name=name, lab=lab, json=equipment)
        for name, values in (
            ("2021_Q1_first_release", {"protected": True, "public": True, "hash": "c0ffee", "description": "First"}),
            ("work_in_progress", {"json": {"until": "2022"}}),
        ):
            self.add("tags", name, name=name, **values)
        for name in ("2021-01-01", "2021-05-05"):
            reason = {"reason": "drift"} if name == "2021-05-05" else None
            self.add("revisions", name, name=name, created_datetime=f"{name}T09:00:00", json=reason)

    def subjects(self) -> None:
        """Create subjects and their genotypes."""
        for nickname, lab, user, values in SUBJECTS:
            projects = ["practice"] if lab == "cortexlab" else []
            self.add(
                "subjects", nickname, nickname=nickname, lab=lab, responsible_user=user, projects=projects, **values
            )
        for nickname, allele, zygosity in (("flowers", "Rosa26", 1), ("flowers", "Pv", 2), ("clover", "Rosa26", 0)):
            self.add("zygosities", f"{nickname}/{allele}", subject=nickname, allele=allele, zygosity=zygosity)
