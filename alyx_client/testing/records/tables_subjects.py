"""Tables of people, subjects, and what is done to them."""

from __future__ import annotations

from alyx_client.testing.records.relations import NOW, QC, USER, Relation, Table
from alyx_client.testing.records.table_builders import ACTION_COLUMNS, action_relations, by_username, make_table

_SESSION_COLUMNS = (
    f"{ACTION_COLUMNS} type:text? number:int? task_protocol n_trials:int? n_correct_trials:int? qc:int extended_qc "
    "auto_datetime:datetime?"
)

SUBJECT_TABLES: tuple[Table, ...] = (
    # people and places
    make_table(
        "users",
        "LabMember",
        "misc",
        "username email password first_name last_name is_staff:bool is_superuser:bool is_active:bool "
        "is_stock_manager:bool is_public_user:bool date_joined:datetime last_login:datetime? labs:json",
        {"allowed_users": by_username(many=True)},
        verbose="user",
        key="username",
        defaults={"is_active": True, "date_joined": NOW, "labs": []},
        unique=(("username",),),
        order=("username",),
    ),
    make_table(
        "labs",
        "Lab",
        "misc",
        "name json institution address timezone reference_weight_pct:float zscore_weight_pct:float "
        "cage_cleaning_frequency_days:int? light_cycle:int?",
        {"repositories": Relation("data-repository", "name", many=True)},
        key="name",
        defaults={"timezone": "UTC", "reference_weight_pct": 0.0, "zscore_weight_pct": 0.0},
        unique=(("name",),),
    ),
    make_table(
        "locations",
        "LabLocation",
        "misc",
        "name json",
        {"lab": Relation("labs", "name", on_delete="cascade")},
        verbose="lab location",
        key="name",
    ),
    make_table(
        "notes",
        "Note",
        "misc",
        "json date_time:datetime text image:text? content_type object_id:uuid",
        {"user": Relation("users", "username", on_delete="cascade")},
        defaults={"date_time": NOW},
    ),
    make_table(
        "projects",
        "Project",
        "subjects",
        "name json description",
        {"users": by_username(many=True)},
        key="name",
        unique=(("name",),),
    ),
    # subjects
    make_table(
        "subjects",
        "Subject",
        "subjects",
        "name json nickname sex birth_date:date? death_date:date? wean_date:date? genotype_date:date? cage:text? "
        "ear_mark protocol_number description adverse_effects actual_severity:int? to_be_genotyped:bool "
        "to_be_culled:bool reduced_date:date?",
        {
            "species": Relation("species", "nickname"),
            "litter": Relation("litters", "name"),
            "strain": Relation("strains", "name"),
            "source": Relation("sources", "name"),
            "line": Relation("lines", "name"),
            "responsible_user": by_username(reverse="subjects_responsible"),
            "lab": Relation("labs", "name", on_delete="cascade"),
            "projects": Relation("projects", "name", many=True),
        },
        key="nickname",
        defaults={"nickname": "-", "sex": "U", "protocol_number": "3", "responsible_user": USER},
        unique=(("nickname", "lab"), ("nickname", "responsible_user")),
        order=("nickname", "-birth_date"),
    ),
    make_table("species", "Species", "subjects", "name json nickname"),
    make_table("litters", "Litter", "subjects", "name json description birth_date:date?"),
    make_table("strains", "Strain", "subjects", "name json description"),
    make_table("sources", "Source", "subjects", "name json description"),
    make_table("lines", "Line", "subjects", "name json nickname description is_active:bool"),
    make_table("alleles", "Allele", "subjects", "name json nickname"),
    make_table(
        "zygosities",
        "Zygosity",
        "subjects",
        "name json zygosity:int",
        {
            "subject": Relation("subjects", "nickname", on_delete="cascade", reverse="zygosity"),
            "allele": Relation("alleles", "nickname", on_delete="cascade"),
        },
    ),
    # actions
    make_table("procedures", "ProcedureType", "actions", "name json description", verbose="procedure type"),
    make_table(
        "sessions",
        "Session",
        "actions",
        _SESSION_COLUMNS,
        {
            **action_relations("actions_sessions"),
            "projects": Relation("projects", "name", many=True, reverse="session"),
            "parent_session": Relation("sessions", form="url", reverse="session"),
        },
        choices={"qc": QC},
        defaults={"start_time": NOW, "qc": 0, "users": USER},
        order=("-start_time",),
        stamped=("auto_datetime",),
    ),
    make_table(
        "surgeries",
        "Surgery",
        "actions",
        f"{ACTION_COLUMNS} outcome_type implant_weight:float",
        {
            **action_relations("actions_surgerys"),
            "users": Relation("users", many=True, form="key"),
            "location": Relation("locations", form="key"),
            "lab": Relation("labs", form="key"),
            "procedures": Relation("procedures", many=True, form="key"),
        },
        defaults={"start_time": NOW},
        order=("-start_time",),
    ),
    make_table(
        "water-restriction",
        "WaterRestriction",
        "actions",
        f"{ACTION_COLUMNS} reference_weight:float",
        {**action_relations("actions_waterrestrictions"), "water_type": Relation("water-type", "name")},
        verbose="water restriction",
        order=("-end_time", "-start_time"),
    ),
    make_table(
        "weighings",
        "Weighing",
        "actions",
        "name json date_time:datetime? weight:float",
        {"subject": Relation("subjects", "nickname", on_delete="cascade", reverse="weighings"), "user": by_username()},
        defaults={"date_time": NOW, "user": USER},
    ),
    make_table(
        "water-type", "WaterType", "actions", "name json", verbose="water type", key="name", unique=(("name",),)
    ),
    make_table(
        "water-administrations",
        "WaterAdministration",
        "actions",
        "name json date_time:datetime? water_administered:float? adlib:bool",
        {
            "subject": Relation("subjects", "nickname", on_delete="cascade", reverse="water_administrations"),
            "user": by_username(),
            "session": Relation("sessions", reverse="wateradmin_session_related"),
            "water_type": Relation("water-type", "name"),
        },
        verbose="water administration",
        defaults={"date_time": NOW, "user": USER},
    ),
)
