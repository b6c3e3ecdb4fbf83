"""Tables of data, experiments and jobs."""

from __future__ import annotations

from alyx_client.testing.records.relations import NOW, QC, TASK_STATUS, TRAJECTORY_PROVENANCE, USER, Relation, Table
from alyx_client.testing.records.table_builders import ACTION_COLUMNS, action_relations, by_username, make_table

_POINT = "x:float? y:float? z:float?"

DATA_TABLES: tuple[Table, ...] = (
    # data
    make_table(
        "data-repository-type",
        "DataRepositoryType",
        "data",
        "name json",
        verbose="data repository type",
        key="name",
        unique=(("name",),),
        order=("name",),
    ),
    make_table(
        "data-repository",
        "DataRepository",
        "data",
        "name json timezone globus_path hostname data_url:text? globus_endpoint_id:uuid? globus_is_personal:bool?",
        {"repository_type": Relation("data-repository-type", "name")},
        verbose="data repository",
        key="name",
        defaults={"timezone": "UTC"},
        unique=(("name",),),
        order=("name",),
    ),
    make_table(
        "data-formats",
        "DataFormat",
        "data",
        "name json description file_extension matlab_loader_function python_loader_function",
        verbose="data format",
        key="name",
        unique=(("name",),),
        order=("name",),
    ),
    make_table(
        "dataset-types",
        "DatasetType",
        "data",
        "name json description filename_pattern:text?",
        {"created_by": by_username()},
        verbose="dataset type",
        key="name",
        defaults={"created_by": USER},
        unique=(("name",), ("filename_pattern",)),
        order=("name",),
    ),
    make_table(
        "tags",
        "Tag",
        "data",
        "name json description protected:bool public:bool hash:text?",
        key="name",
        unique=(("name",),),
        order=("name",),
    ),
    make_table(
        "revisions",
        "Revision",
        "data",
        "name json description created_datetime:datetime?",
        key="name",
        defaults={"created_datetime": NOW},
        unique=(("name",),),
        order=("name",),
    ),
    make_table(
        "datasets",
        "Dataset",
        "data",
        "name json created_datetime:datetime? generating_software content_type:text? object_id:uuid? file_size:int? "
        "md5:uuid? hash version collection default_dataset:bool qc:int auto_datetime:datetime?",
        {
            "session": Relation("sessions", form="url", on_delete="cascade", reverse="data_dataset_session_related"),
            "created_by": by_username(reverse="data_dataset_created_by_related"),
            "dataset_type": Relation("dataset-types", "name"),
            "data_format": Relation("data-formats", "name"),
            "revision": Relation("revisions", "name"),
            "tags": Relation("tags", "name", many=True, reverse="datasets"),
        },
        choices={"qc": QC},
        defaults={"created_datetime": NOW, "default_dataset": True, "qc": 0, "created_by": USER},
        stamped=("auto_datetime",),
    ),
    make_table(
        "files",
        "FileRecord",
        "data",
        "name json relative_path exists:bool",
        {
            "dataset": Relation("datasets", form="url", on_delete="cascade", reverse="file_records"),
            "data_repository": Relation("data-repository", "name", on_delete="cascade"),
        },
        verbose="file record",
        unique=(("data_repository", "relative_path"),),
    ),
    make_table(
        "downloads",
        "Download",
        "data",
        "name json count:int first_download:datetime last_download:datetime",
        {
            "user": Relation("users", "username", on_delete="cascade"),
            "dataset": Relation("datasets", form="key", on_delete="cascade", reverse="download"),
            "projects": Relation("projects", "name", many=True),
        },
        stamped=("last_download",),
    ),
    make_table(
        "data-notices",
        "DataNotice",
        "data",
        "name json description importance:int created_datetime:datetime version_affected affected_date_start:date? "
        "affected_date_end:date?",
        {
            "created_by": by_username(reverse="data_notices"),
            "datasets": Relation("datasets", many=True, reverse="data_notices"),
        },
        verbose="data notice",
        defaults={"importance": 20, "created_datetime": NOW},
        order=("-importance", "-created_datetime", "name"),
    ),
    # experiments
    make_table(
        "brain-regions",
        "BrainRegion",
        "experiments",
        "acronym name ontology:text? description:text?",
        {"parent": Relation("brain-regions", on_delete="cascade", reverse="children")},
        verbose="brain region",
        integer_key=True,
        unique=(("acronym",), ("name",)),
    ),
    make_table("coordinate-systems", "CoordinateSystem", "experiments", "name json description"),
    make_table(
        "probe-models", "ProbeModel", "experiments", "name json probe_manufacturer probe_model description:text?"
    ),
    make_table("imaging-types", "ImagingType", "experiments", "name json"),
    make_table(
        "chronic-insertions",
        "ChronicInsertion",
        "experiments",
        f"{ACTION_COLUMNS} serial",
        {**action_relations("experiments_chronicinsertions"), "model": Relation("probe-models", "probe_model")},
        verbose="chronic insertion",
        defaults={"start_time": NOW},
    ),
    make_table(
        "insertions",
        "ProbeInsertion",
        "experiments",
        "name json serial auto_datetime:datetime?",
        {
            "session": Relation("sessions", on_delete="cascade", reverse="probe_insertion"),
            "model": Relation("probe-models", "probe_model"),
            "datasets": Relation("datasets", many=True, reverse="probe_insertion"),
            "chronic_insertion": Relation("chronic-insertions", form="key", reverse="probe_insertion"),
        },
        verbose="probe insertion",
        unique=(("name", "session"),),
        order=("-session__start_time", "name"),
        stamped=("auto_datetime",),
    ),
    make_table(
        "trajectories",
        "TrajectoryEstimate",
        "experiments",
        f"json {_POINT} depth:float? theta:float? phi:float? roll:float? provenance:int datetime:datetime",
        {
            "probe_insertion": Relation("insertions", on_delete="cascade", reverse="trajectory_estimate"),
            "chronic_insertion": Relation(
                "chronic-insertions", form="key", on_delete="cascade", reverse="trajectory_estimate"
            ),
            "coordinate_system": Relation("coordinate-systems", "name"),
        },
        verbose="trajectory estimate",
        choices={"provenance": TRAJECTORY_PROVENANCE},
        stamped=("datetime",),
    ),
    make_table(
        "channels",
        "Channel",
        "experiments",
        f"name json axial:float? lateral:float? {_POINT}",
        {
            "trajectory_estimate": Relation("trajectories", on_delete="cascade", reverse="channels"),
            "brain_region": Relation("brain-regions", reverse="channels"),
        },
        defaults={"brain_region": 0},
        unique=(("axial", "lateral", "trajectory_estimate"),),
    ),
    make_table("imaging-stack", "ImagingStack", "experiments", "name json", verbose="imaging stack"),
    make_table(
        "fields-of-view",
        "FOV",
        "experiments",
        "name json",
        {
            "session": Relation("sessions", form="key", on_delete="cascade", reverse="field_of_view"),
            "imaging_type": Relation("imaging-types", "name", on_delete="cascade", reverse="field_of_view"),
            "datasets": Relation("datasets", many=True, form="key", reverse="field_of_view"),
            "stack": Relation("imaging-stack", form="key", on_delete="cascade", reverse="slices"),
        },
        unique=(("session", "name"),),
        order=("-session__start_time", "name"),
    ),
    make_table(
        "fov-location",
        "FOVLocation",
        "experiments",
        "name json provenance default_provenance:bool auto_datetime:datetime x:floats y:floats z:floats n_xyz:floats",
        {
            "field_of_view": Relation("fields-of-view", form="key", on_delete="cascade", reverse="location"),
            "coordinate_system": Relation("coordinate-systems", "name"),
            "brain_region": Relation("brain-regions", many=True, reverse="brain_region"),
        },
        order=("-default_provenance",),
        stamped=("auto_datetime",),
    ),
    # jobs
    make_table(
        "tasks",
        "Task",
        "jobs",
        "name:text? priority:int? io_charge:int? level:int? gpu:int? cpu:int? ram:int? time_out_secs:int? "
        "time_elapsed_secs:float? executable:text? graph:text? status:int log:text? version:text? datetime:datetime "
        "arguments",
        {
            "session": Relation("sessions", on_delete="cascade", reverse="tasks"),
            "parents": Relation("tasks", many=True, reverse="children"),
            "data_repository": Relation("data-repository", "name", on_delete="cascade", reverse="tasks"),
        },
        choices={"status": TASK_STATUS},
        defaults={"status": 20},
        order=("level", "-priority", "-session__start_time"),
        stamped=("datetime",),
    ),
)
