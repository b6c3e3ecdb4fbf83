"""Seeds: people, vocabularies, repositories, labs and subjects."""

from __future__ import annotations

from typing import Any

from alyx_client.testing.records.relations import LOCAL_DATA_URL
from alyx_client.testing.seed.record_maker import RecordMaker, key_of

PUBLIC_USER = "visitor"

_REGIONS: tuple[tuple[int, str, str, int | None, str | None], ...] = (
    (0, "void", "void", None, None),
    (997, "root", "root", 0, "The whole brain"),
    (8, "grey", "Basic cell groups and regions", 997, None),
    (567, "CH", "Cerebrum", 8, None),
    (688, "CTX", "Cerebral cortex", 567, "Six layers, mostly"),
    (695, "CTXpl", "Cortical plate", 688, None),
    (315, "Isocortex", "Isocortex", 695, None),
    (669, "VIS", "Visual areas", 315, ""),
    (385, "VISp", "Primary visual area", 669, None),
    (593, "VISp1", "Primary visual area layer 1", 385, None),
    (821, "VISp2/3", "Primary visual area layer 2/3", 385, None),
    (721, "VISp4", "Primary visual area layer 4", 385, None),
    (778, "VISp5", "Primary visual area layer 5", 385, None),
    (33, "VISp6a", "Primary visual area layer 6a", 385, None),
    (1089, "HPF", "Hippocampal formation", 695, None),
    (382, "CA1", "Field CA1", 1089, None),
    (726, "DG", "Dentate gyrus", 1089, "See [the atlas](https://example.org/atlas)"),
    (343, "BS", "Brain stem", 8, None),
    (549, "TH", "Thalamus", 343, None),
    (218, "LP", "Lateral posterior nucleus of the thalamus", 549, None),
)
_DATASET_TYPES = (
    ("trials.table", None),
    ("spikes.times", None),
    ("spikes.clusters", None),
    ("clusters.metrics", None),
    ("channels.localCoordinates", None),
    ("wheel.position", None),
    ("camera.times", "*camera.times*.npy"),
    ("ephysData.raw.ap", "*ephysData*ap*.bin"),
    ("mpci.times", None),
    ("unknown", None),
)
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
    """What a laboratory has before it records anything."""

    def people(self) -> None:
        """Make users and projects."""
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

    def vocabularies(self) -> None:
        """Make what other records refer to by name."""
        for key, acronym, name, parent, description in _REGIONS:
            self.add("brain-regions", key, acronym=acronym, name=name, parent=parent, description=description)
        for nickname, name in (("Laboratory mouse", "Mus musculus"), ("Laboratory rat", "Rattus norvegicus")):
            self.add("species", nickname, nickname=nickname, name=name)
        for name in ("C57BL/6J", "BALB/c"):
            self.add("strains", name, name=name)
        self.add("sources", "Breeding room", name="Breeding room")
        self.add("lines", "Rosa", name="Rosa", nickname="rosa")
        self.add("litters", "L-7", name="L-7")
        for name in ("Rosa26", "Pv"):
            self.add("alleles", name, name=name, nickname=name)
        for name in ("IBL-Allen", "Needles-Allen"):
            self.add("coordinate-systems", name, name=name)
        for code, name in (("3A", "Neuropixels phase 3A"), ("3B2", "Neuropixels 1.0"), ("NP2.4", "Neuropixels 2.0")):
            self.add("probe-models", code, name=name, probe_model=code, probe_manufacturer="imec")
        for name in ("mesoscope", "two-photon"):
            self.add("imaging-types", name, name=name)
        for name in ("Water", "Hydrogel", "Water 10% Sucrose"):
            self.add("water-type", name, name=name)
        for name, note in (
            ("craniotomy", "Opening of the skull"),
            ("Histology", ""),
            ("Headplate", ""),
            ("Recording", ""),
        ):
            self.add("procedures", name, name=name, description=note, json=None if note else {"room": 4})
        formats = (("npy", ".npy"), ("pqt", ".pqt"), ("csv", ".csv"), ("bin", ".bin"), ("unknown", "."))
        for name, extension in formats:
            loader = "np.load" if name == "npy" else ""
            self.add(
                "data-formats",
                name,
                name=name,
                file_extension=extension,
                python_loader_function=loader,
                json={"open": True} if loader else None,
            )
        for name, pattern in _DATASET_TYPES:
            creator = "olivier" if pattern and self.store.rows("users") else None
            note = f"What {name} holds"
            self.add("dataset-types", name, name=name, filename_pattern=pattern, description=note, created_by=creator)

    def repositories(self) -> None:
        """Make repositories, labs, places, tags and revisions."""
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
        repositories = ["data_server", "cortexlab_rig"]
        self.add(
            "labs",
            "cortexlab",
            name="cortexlab",
            institution="Institute of Mazes",
            repositories=repositories,
            timezone="Europe/London",
            reference_weight_pct=0.85,
            zscore_weight_pct=0.0,
        )
        self.add("labs", "hillside", name="hillside", repositories=["data_server"], json={"rooms": 3})
        self.add("labs", "attic", name="attic", address="Under the roof")
        for name, lab, notes in (
            ("rig-1", "cortexlab", None),
            ("rig-2", "cortexlab", {"camera": True}),
            ("bench", "hillside", None),
        ):
            self.add("locations", name, name=name, lab=lab, json=notes)
        for name, values in (
            ("2021_Q1_first_release", {"protected": True, "public": True, "hash": "c0ffee", "description": "First"}),
            ("work_in_progress", {"json": {"until": "2022"}}),
        ):
            self.add("tags", name, name=name, **values)
        for name in ("2021-01-01", "2021-05-05"):
            why = {"reason": "drift"} if name == "2021-05-05" else None
            self.add("revisions", name, name=name, created_datetime=f"{name}T09:00:00", json=why)

    def subjects(self) -> None:
        """Make subjects and their genotypes."""
        for nickname, lab, user, values in SUBJECTS:
            projects = ["practice"] if lab == "cortexlab" else []
            self.add(
                "subjects", nickname, nickname=nickname, lab=lab, responsible_user=user, projects=projects, **values
            )
        for nickname, allele, zygosity in (("flowers", "Rosa26", 1), ("flowers", "Pv", 2), ("clover", "Rosa26", 0)):
            self.add("zygosities", f"{nickname}/{allele}", subject=nickname, allele=allele, zygosity=zygosity)
