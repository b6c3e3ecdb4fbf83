"""Settings of the documentation site, which `make docs` builds."""

from __future__ import annotations

import os
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE / "_ext"), str(HERE.parent), str(HERE.parent / "generator")]

import inventories  # noqa: E402

from alyx_client import __version__  # noqa: E402

project = "alyx-client"
author = "alyx-client contributors"
project_copyright = "alyx-client contributors"
# Builds of what is not released are of "dev", which is then the name of their folder.
version = release = os.environ.get("DOCS_VERSION") or __version__

extensions = [
    "completion",
    "diagrams",
    "local_links",
    "myst_nb",
    "numpydoc",
    "reference_pages",
    "repository_pages",
    "search_words",
    "sphinx.ext.autodoc",
    "sphinx.ext.intersphinx",
    "sphinx_copybutton",
    "sphinx_design",
    "texts",
]
exclude_patterns = ["_ext", "_static", "_templates"]
templates_path = ["_templates"]

# Markdown: links to headings work as they do on GitHub.
myst_enable_extensions = ["attrs_block", "attrs_inline", "colon_fence", "deflist", "fieldlist", "smartquotes"]
myst_heading_anchors = 4

# Notebooks run at each build, on a local Alyx and with the settings of nobody.
BUILD = HERE.parent / "build" / "notebooks"
BUILD.mkdir(parents=True, exist_ok=True)
for name in [name for name in os.environ if name.startswith("ALYX_")]:
    del os.environ[name]
for name in ("HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"):
    os.environ[name] = str(BUILD)
# The kernel warns that others on this computer could read along, which is nothing to a notebook without secrets.
os.environ["IPYTHONDIR"] = str(BUILD / "ipython")
profile = BUILD / "ipython" / "profile_default" / "ipython_kernel_config.py"
profile.parent.mkdir(parents=True, exist_ok=True)
profile.write_text('get_config().IPKernelApp.log_level = "ERROR"\n', encoding="utf-8")
os.environ["PYTHONPATH"] = os.pathsep.join(sys.path[1:3])
nb_execution_mode = "force"
nb_execution_in_temp = True
nb_execution_raise_on_error = True
nb_execution_timeout = 120
nb_execution_show_tb = True

autodoc_typehints = "none"
# Names in docstrings lead to what they name.
default_role = "py:obj"
numpydoc_show_class_members = False
# The table of contents beside a page has no room for the class of each method.
toc_object_entries_show_parents = "hide"
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

# Other projects' documentation, if it can be reached within seconds: a build without a network passes.
intersphinx_mapping = inventories.reachable(
    {
        "python": "https://docs.python.org/3/",
        "pydantic": "https://docs.pydantic.dev/latest/",
        "httpx2": "https://httpx2.pydantic.dev/",
        "pandas": "https://pandas.pydata.org/docs/",
    },
    HERE.parent / "build" / "inventories",
    offline=bool(os.environ.get("OFFLINE")),
)

# make links leaves out addresses that are examples, and those of packages, which `make licences` takes from the index.
linkcheck_ignore = [
    r"https?://(127\.0\.0\.1|localhost|([\w.-]+\.)?example\.(org|com)|([\w-]+\.)?alyx\.lab\.org)\b",
    r"https://pypi\.org/project/",
]
linkcheck_timeout = 20
linkcheck_retries = 3
linkcheck_rate_limit_timeout = 60.0
# GitHub makes the places on its pages with scripts.
linkcheck_anchors_ignore_for_url = [r"https://github\.com/"]

# The address below which each version of the site has a folder, such as https://example.org/alyx-client. The menu of
# versions is read from switcher.json there, which release/publish_docs.py writes. Without it, the site has no menu, and
# works at any address.
docs_url = os.environ.get("DOCS_URL", "").rstrip("/")
html_baseurl = f"{docs_url}/{version}/" if docs_url else ""

html_theme = "pydata_sphinx_theme"
html_context = {"default_mode": "auto", "html_baseurl": html_baseurl}
html_favicon = "_static/icon.svg"
html_title = f"alyx-client {version}"
html_static_path = ["_static"]
html_css_files = ["custom.css"]
html_js_files = ["names.js"]
html_theme_options = {
    "logo": {"text": "alyx-client"},
    "navbar_align": "left",
    "navbar_end": ["version-switcher", "theme-switcher"] if docs_url else ["theme-switcher"],
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": ["sphinx-version"],
    "show_toc_level": 2,
    "navigation_with_keys": False,
}
if docs_url:
    html_theme_options["switcher"] = {"json_url": f"{docs_url}/switcher.json", "version_match": version}
    html_theme_options["check_switcher"] = False
    html_theme_options["show_version_warning_banner"] = True
# Pages without others beside them have no menu of these.
html_sidebars = {page: [] for page in ("changelog", "contributing", "dependencies", "security-policy", "support")}
html_search_scorer = str(HERE / "_ext" / "scorer.js")
html_copy_source = False
html_show_sourcelink = False
