"""Ray and Spark on this machine, for the tests that need them: `make test-engines`."""

import os
import shutil
import sys

import pytest

# Ray and Spark leave sockets and files to the end of the process.
ENGINES_WARN = (
    "ignore::ResourceWarning",
    "ignore::DeprecationWarning",
    "ignore::FutureWarning",
    "ignore::pytest.PytestUnraisableExceptionWarning",
)


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.is_relative_to(os.path.dirname(__file__)):
            for warning in ENGINES_WARN:
                item.add_marker(pytest.mark.filterwarnings(warning))
    # Ray's driver may hang once Spark has forked its process for Java. So Ray comes first.
    items.sort(key=_needs_spark)


def _needs_spark(item):
    return "spark" in item.name or "spark" in item.fixturenames


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """The folder that workers are started in, which relative paths are of."""
    return tmp_path_factory.mktemp("engines")


@pytest.fixture(scope="session")
def ray(folder):
    """Ray with four workers, and no page in a browser."""
    ray = pytest.importorskip("ray", reason="Ray is not installed: make test-engines")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        ray.init(
            num_cpus=4,
            include_dashboard=False,
            log_to_driver=False,
            # Workers import the tests and the package from where this process does.
            runtime_env={"env_vars": {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}},
        )
    yield ray
    ray.shutdown()


@pytest.fixture(scope="session")
def spark(folder):
    """Spark with two threads in a Java process."""
    if "ray" in sys.modules:
        sys.modules["ray"].shutdown()
    reason = "Spark is not installed: make test-engines"
    sql = pytest.importorskip("pyspark.sql", reason=reason)
    java_home = os.environ.get("JAVA_HOME", "")
    if not (shutil.which("java") or shutil.which("java", path=os.path.join(java_home, "bin"))):
        pytest.skip("Spark needs Java, which is not installed: make test-engines")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        patch.setenv("PYSPARK_DRIVER_PYTHON", sys.executable)
        patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
        patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        session = (
            sql.SparkSession.builder.master("local[2]")
            .appName("tests of sktextcnn")
            .config("spark.ui.enabled", "false")
            .config("spark.sql.shuffle.partitions", "2")
            .getOrCreate()
        )
        session.sparkContext.setLogLevel("ERROR")
        yield session
        session.stop()
