"""Tables of Alyx's apps data, experiments and jobs."""

from __future__ import annotations

from alyx_client.testing.records.declarations import ACTION_COLUMNS, action_relations, by_username, columns
from alyx_client.testing.records.relations import NOW, QC, TASK_STATUS, TRAJECTORY_PROVENANCE, USER, Relation, Table

_POINT = "x:float? y:float? z:float?"

DATA_TABLES: tuple[Table, ...] = (
    # data
    Table(
        "data-repository-type",
        "DataRepositoryType",
        "data",
        columns("name json"),
        verbose_name="data repository type",
        lookup_field="name",
        unique=(("name",),),
        ordering=("name",),
    ),
    Table(
        "data-repository",
        "DataRepository",
        "data",
        columns(
            "name json timezone globus_path hostname data_url:text? globus_endpoint_id:uuid? globus_is_personal:bool?"
        ),
        {"repository_type": Relation("data-repository-type", "name")},
        verbose_name="data repository",
        lookup_field="name",
        defaults={"timezone": "UTC"},
        unique=(("name",),),
        ordering=("name",),
    ),
    Table(
        "data-formats",
        "DataFormat",
        "data",
        columns("name json description file_extension matlab_loader_function python_loader_function"),
        verbose_name="data format",
        lookup_field="name",
        unique=(("name",),),
        ordering=("name",),
    ),
    Table(
        "dataset-types",
        "DatasetType",
        "data",
        columns("name json description filename_pattern:text?"),
        {"created_by": by_username()},
        verbose_name="dataset type",
        lookup_field="name",
        defaults={"created_by": USER},
        unique=(("name",), ("filename_pattern",)),
        ordering=("name",),
    ),
    Table(
        "tags",
        "Tag",
        "data",
        columns("name json description protected:bool public:bool hash:text?"),
        lookup_field="name",
        unique=(("name",),),
        ordering=("name",),
    ),
    Table(
        "revisions",
        "Revision",
        "data",
        columns("name json description created_datetime:datetime?"),
        lookup_field="name",
        defaults={"created_datetime": NOW},
        unique=(("name",),),
        ordering=("name",),
    ),
    Table(
        "datasets",
        "Dataset",
        "data",
        columns(
            "name json created_datetime:datetime? generating_software content_type:text? object_id:uuid? "
            "file_size:int? md5:uuid? hash version collection default_dataset:bool qc:int "
            "auto_datetime:datetime?"
        ),
        {
            "session": Relation(
                "sessions", representation="hyperlink", on_delete="cascade", related_name="data_dataset_session_related"
            ),
            "created_by": by_username(related_name="data_dataset_created_by_related"),
            "dataset_type": Relation("dataset-types", "name"),
            "data_format": Relation("data-formats", "name"),
            "revision": Relation("revisions", "name"),
            "tags": Relation("tags", "name", many=True, related_name="datasets"),
        },
        choices={"qc": QC},
        defaults={"created_datetime": NOW, "default_dataset": True, "qc": 0, "created_by": USER},
        auto_now=("auto_datetime",),
    ),
    Table(
        "files",
        "FileRecord",
        "data",
        columns("name json relative_path exists:bool"),
        {
            "dataset": Relation(
                "datasets", representation="hyperlink", on_delete="cascade", related_name="file_records"
            ),
            "data_repository": Relation("data-repository", "name", on_delete="cascade"),
        },
        verbose_name="file record",
        unique=(("data_repository", "relative_path"),),
    ),
    Table(
        "downloads",
        "Download",
        "data",
        columns("name json count:int first_download:datetime last_download:datetime"),
        {
            "user": Relation("users", "username", on_delete="cascade"),
            "dataset": Relation("datasets", representation="key", on_delete="cascade", related_name="download"),
            "projects": Relation("projects", "name", many=True),
        },
        auto_now=("last_download",),
    ),
    Table(
        "data-notices",
        "DataNotice",
        "data",
        columns(
            "name json description importance:int created_datetime:datetime version_affected "
            "affected_date_start:date? affected_date_end:date?"
        ),
        {
            "created_by": by_username(related_name="data_notices"),
            "datasets": Relation("datasets", many=True, related_name="data_notices"),
        },
        verbose_name="data notice",
        defaults={"importance": 20, "created_datetime": NOW},
        ordering=("-importance", "-created_datetime", "name"),
    ),
    # experiments
    Table(
        "brain-regions",
        "BrainRegion",
        "experiments",
        columns("id:int acronym name ontology:text? description:text?"),
        {"parent": Relation("brain-regions", on_delete="cascade", related_name="children")},
        verbose_name="brain region",
        unique=(("acronym",), ("name",)),
    ),
    Table("coordinate-systems", "CoordinateSystem", "experiments", columns("name json description")),
    Table(
        "probe-models",
        "ProbeModel",
        "experiments",
        columns("name json probe_manufacturer probe_model description:text?"),
    ),
    Table("imaging-types", "ImagingType", "experiments", columns("name json")),
    Table(
        "chronic-insertions",
        "ChronicInsertion",
        "experiments",
        columns(f"{ACTION_COLUMNS} serial"),
        {**action_relations("experiments_chronicinsertions"), "model": Relation("probe-models", "probe_model")},
        verbose_name="chronic insertion",
        defaults={"start_time": NOW},
    ),
    Table(
        "insertions",
        "ProbeInsertion",
        "experiments",
        columns("name json serial auto_datetime:datetime?"),
        {
            "session": Relation("sessions", on_delete="cascade", related_name="probe_insertion"),
            "model": Relation("probe-models", "probe_model"),
            "datasets": Relation("datasets", many=True, related_name="probe_insertion"),
            "chronic_insertion": Relation("chronic-insertions", representation="key", related_name="probe_insertion"),
        },
        verbose_name="probe insertion",
        unique=(("name", "session"),),
        ordering=("-session__start_time", "name"),
        auto_now=("auto_datetime",),
    ),
    Table(
        "trajectories",
        "TrajectoryEstimate",
        "experiments",
        columns(f"json {_POINT} depth:float? theta:float? phi:float? roll:float? provenance:int datetime:datetime"),
        {
            "probe_insertion": Relation("insertions", on_delete="cascade", related_name="trajectory_estimate"),
            "chronic_insertion": Relation(
                "chronic-insertions", representation="key", on_delete="cascade", related_name="trajectory_estimate"
            ),
            "coordinate_system": Relation("coordinate-systems", "name"),
        },
        verbose_name="trajectory estimate",
        choices={"provenance": TRAJECTORY_PROVENANCE},
        auto_now=("datetime",),
    ),
    Table(
        "channels",
        "Channel",
        "experiments",
        columns(f"name json axial:float? lateral:float? {_POINT}"),
        {
            "trajectory_estimate": Relation("trajectories", on_delete="cascade", related_name="channels"),
            "brain_region": Relation("brain-regions", related_name="channels"),
        },
        defaults={"brain_region": 0},
        unique=(("axial", "lateral", "trajectory_estimate"),),
    ),
    Table("imaging-stack", "ImagingStack", "experiments", columns("name json"), verbose_name="imaging stack"),
    Table(
        "fields-of-view",
        "FOV",
        "experiments",
        columns("name json"),
        {
            "session": Relation("sessions", representation="key", on_delete="cascade", related_name="field_of_view"),
            "imaging_type": Relation("imaging-types", "name", on_delete="cascade", related_name="field_of_view"),
            "datasets": Relation("datasets", many=True, representation="key", related_name="field_of_view"),
            "stack": Relation("imaging-stack", representation="key", on_delete="cascade", related_name="slices"),
        },
        unique=(("session", "name"),),
        ordering=("-session__start_time", "name"),
    ),
    Table(
        "fov-location",
        "FOVLocation",
        "experiments",
        columns(
            "name json provenance default_provenance:bool auto_datetime:datetime x:floats y:floats z:floats "
            "n_xyz:floats"
        ),
        {
            "field_of_view": Relation(
                "fields-of-view", representation="key", on_delete="cascade", related_name="location"
            ),
            "coordinate_system": Relation("coordinate-systems", "name"),
            "brain_region": Relation("brain-regions", many=True, related_name="brain_region"),
        },
        ordering=("-default_provenance",),
        auto_now=("auto_datetime",),
    ),
    # jobs
    Table(
        "tasks",
        "Task",
        "jobs",
        columns(
            "name:text? priority:int? io_charge:int? level:int? gpu:int? cpu:int? ram:int? time_out_secs:int? "
            "time_elapsed_secs:float? executable:text? graph:text? status:int log:text? version:text? "
            "datetime:datetime arguments"
        ),
        {
            "session": Relation("sessions", on_delete="cascade", related_name="tasks"),
            "parents": Relation("tasks", many=True, related_name="children"),
            "data_repository": Relation("data-repository", "name", on_delete="cascade", related_name="tasks"),
        },
        choices={"status": TASK_STATUS},
        defaults={"status": 20},
        ordering=("level", "-priority", "-session__start_time"),
        auto_now=("datetime",),
    ),
)
