"""Tables of Alyx's apps misc, subjects and actions."""

from __future__ import annotations

from alyx_client.testing.records.declarations import ACTION_COLUMNS, action_relations, by_username, columns
from alyx_client.testing.records.relations import NOW, QC, USER, Relation, Table

_SESSION_COLUMNS = (
    f"{ACTION_COLUMNS} type:text? number:int? task_protocol n_trials:int? n_correct_trials:int? qc:int extended_qc "
    "auto_datetime:datetime?"
)

SUBJECT_TABLES: tuple[Table, ...] = (
    # people and places
    Table(
        "users",
        "LabMember",
        "misc",
        columns(
            "username email password first_name last_name is_staff:bool is_superuser:bool is_active:bool "
            "is_stock_manager:bool is_public_user:bool date_joined:datetime last_login:datetime? labs:json"
        ),
        {"allowed_users": by_username(many=True)},
        verbose_name="user",
        lookup_field="username",
        defaults={"is_active": True, "date_joined": NOW, "labs": []},
        unique=(("username",),),
        ordering=("username",),
    ),
    Table(
        "labs",
        "Lab",
        "misc",
        columns(
            "name json institution address timezone reference_weight_pct:float zscore_weight_pct:float "
            "cage_cleaning_frequency_days:int? light_cycle:int?"
        ),
        {"repositories": Relation("data-repository", "name", many=True)},
        lookup_field="name",
        defaults={"timezone": "UTC", "reference_weight_pct": 0.0, "zscore_weight_pct": 0.0},
        unique=(("name",),),
    ),
    Table(
        "locations",
        "LabLocation",
        "misc",
        columns("name json"),
        {"lab": Relation("labs", "name", on_delete="cascade")},
        verbose_name="lab location",
        lookup_field="name",
    ),
    Table(
        "notes",
        "Note",
        "misc",
        columns("json date_time:datetime text image:text? content_type object_id:uuid"),
        {"user": Relation("users", "username", on_delete="cascade")},
        defaults={"date_time": NOW},
    ),
    Table(
        "projects",
        "Project",
        "subjects",
        columns("name json description"),
        {"users": by_username(many=True)},
        lookup_field="name",
        unique=(("name",),),
    ),
    # subjects
    Table(
        "subjects",
        "Subject",
        "subjects",
        columns(
            "name json nickname sex birth_date:date? death_date:date? wean_date:date? genotype_date:date? "
            "cage:text? ear_mark protocol_number description adverse_effects actual_severity:int? "
            "to_be_genotyped:bool to_be_culled:bool reduced_date:date?"
        ),
        {
            "species": Relation("species", "nickname"),
            "litter": Relation("litters", "name"),
            "strain": Relation("strains", "name"),
            "source": Relation("sources", "name"),
            "line": Relation("lines", "name"),
            "responsible_user": by_username(related_name="subjects_responsible"),
            "lab": Relation("labs", "name", on_delete="cascade"),
            "projects": Relation("projects", "name", many=True),
        },
        lookup_field="nickname",
        defaults={"nickname": "-", "sex": "U", "protocol_number": "3", "responsible_user": USER},
        unique=(("nickname", "lab"), ("nickname", "responsible_user")),
        ordering=("nickname", "-birth_date"),
    ),
    Table("species", "Species", "subjects", columns("name json nickname")),
    Table("litters", "Litter", "subjects", columns("name json description birth_date:date?")),
    Table("strains", "Strain", "subjects", columns("name json description")),
    Table("sources", "Source", "subjects", columns("name json description")),
    Table("lines", "Line", "subjects", columns("name json nickname description is_active:bool")),
    Table("alleles", "Allele", "subjects", columns("name json nickname")),
    Table(
        "zygosities",
        "Zygosity",
        "subjects",
        columns("name json zygosity:int"),
        {
            "subject": Relation("subjects", "nickname", on_delete="cascade", related_name="zygosity"),
            "allele": Relation("alleles", "nickname", on_delete="cascade"),
        },
    ),
    # actions
    Table("procedures", "ProcedureType", "actions", columns("name json description"), verbose_name="procedure type"),
    Table(
        "sessions",
        "Session",
        "actions",
        columns(_SESSION_COLUMNS),
        {
            **action_relations("actions_sessions"),
            "projects": Relation("projects", "name", many=True, related_name="session"),
            "parent_session": Relation("sessions", representation="hyperlink", related_name="session"),
        },
        choices={"qc": QC},
        defaults={"start_time": NOW, "qc": 0, "users": USER},
        ordering=("-start_time",),
        auto_now=("auto_datetime",),
    ),
    Table(
        "surgeries",
        "Surgery",
        "actions",
        columns(f"{ACTION_COLUMNS} outcome_type implant_weight:float"),
        {
            **action_relations("actions_surgerys"),
            "users": Relation("users", many=True, representation="key"),
            "location": Relation("locations", representation="key"),
            "lab": Relation("labs", representation="key"),
            "procedures": Relation("procedures", many=True, representation="key"),
        },
        defaults={"start_time": NOW},
        ordering=("-start_time",),
    ),
    Table(
        "water-restriction",
        "WaterRestriction",
        "actions",
        columns(f"{ACTION_COLUMNS} reference_weight:float"),
        {**action_relations("actions_waterrestrictions"), "water_type": Relation("water-type", "name")},
        verbose_name="water restriction",
        ordering=("-end_time", "-start_time"),
    ),
    Table(
        "weighings",
        "Weighing",
        "actions",
        columns("name json date_time:datetime? weight:float"),
        {
            "subject": Relation("subjects", "nickname", on_delete="cascade", related_name="weighings"),
            "user": by_username(),
        },
        defaults={"date_time": NOW, "user": USER},
    ),
    Table(
        "water-type",
        "WaterType",
        "actions",
        columns("name json"),
        verbose_name="water type",
        lookup_field="name",
        unique=(("name",),),
    ),
    Table(
        "water-administrations",
        "WaterAdministration",
        "actions",
        columns("name json date_time:datetime? water_administered:float? adlib:bool"),
        {
            "subject": Relation("subjects", "nickname", on_delete="cascade", related_name="water_administrations"),
            "user": by_username(),
            "session": Relation("sessions", related_name="wateradmin_session_related"),
            "water_type": Relation("water-type", "name"),
        },
        verbose_name="water administration",
        defaults={"date_time": NOW, "user": USER},
    ),
)
