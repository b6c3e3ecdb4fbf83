"""Seeds: the vocabularies that other records refer to."""

from __future__ import annotations

from alyx_client.testing.seed.record_maker import RecordMaker

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
_PROCEDURES = (("craniotomy", "Opening of the skull"), ("Histology", ""), ("Headplate", ""), ("Recording", ""))
_PROBE_MODELS = (("3A", "Neuropixels phase 3A"), ("3B2", "Neuropixels 1.0"), ("NP2.4", "Neuropixels 2.0"))
_DATA_FORMATS = (("npy", ".npy"), ("pqt", ".pqt"), ("csv", ".csv"), ("bin", ".bin"), ("unknown", "."))
# Tables whose records have little more than a name.
_NAMES = {
    "strains": ("C57BL/6J", "BALB/c"),
    "sources": ("Breeding room",),
    "litters": ("L-7",),
    "coordinate-systems": ("IBL-Allen", "Needles-Allen"),
    "imaging-types": ("mesoscope", "two-photon"),
    "water-type": ("Water", "Hydrogel", "Water 10% Sucrose"),
}


class VocabularySeeds(RecordMaker):
    """Vocabularies: brain regions, species, data formats, dataset types and so on."""

    def vocabularies(self) -> None:
        """Create all vocabularies."""
        self._brain_regions()
        for nickname, name in (("Laboratory mouse", "Mus musculus"), ("Laboratory rat", "Rattus norvegicus")):
            self.add("species", nickname, nickname=nickname, name=name)
        for table, names in _NAMES.items():
            for name in names:
                self.add(table, name, name=name)
        self.add("lines", "Rosa", name="Rosa", nickname="rosa")
        for name in ("Rosa26", "Pv"):
            self.add("alleles", name, name=name, nickname=name)
        for code, name in _PROBE_MODELS:
            self.add("probe-models", code, name=name, probe_model=code, probe_manufacturer="imec")
        for name, description in _PROCEDURES:
            self.add("procedures", name, name=name, description=description, json=None if description else {"room": 4})
        self._data_formats()
        self._dataset_types()

    def _brain_regions(self) -> None:
        for key, acronym, name, parent, description in _REGIONS:
            self.add("brain-regions", key, acronym=acronym, name=name, parent=parent, description=description)

    def _data_formats(self) -> None:
        for name, extension in _DATA_FORMATS:
            loader = "np.load" if name == "npy" else ""
            self.add(
                "data-formats",
                name,
                name=name,
                file_extension=extension,
                python_loader_function=loader,
                json={"open": True} if loader else None,
            )

    def _dataset_types(self) -> None:
        for name, pattern in _DATASET_TYPES:
            self.add(
                "dataset-types",
                name,
                name=name,
                filename_pattern=pattern,
                description=f"What {name} holds",
                # Without the rest of the laboratory there are no users.
                created_by="olivier" if pattern and self.store.rows("users") else None,
            )
