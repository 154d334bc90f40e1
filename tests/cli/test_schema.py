import json


def test_the_list_names_every_subject_with_its_body(run):
    rows = json.loads(run("schema", "--json").stdout)
    bodies = {row["subject"]: row["body"] for row in rows}
    assert bodies["task.request.{priority}"] == "TaskRequest"


def test_one_body_is_a_json_schema(run):
    assert json.loads(run("schema", "TaskRequest").stdout)["required"] == ["title"]


def test_the_whole_bus_is_an_asyncapi_document(run):
    assert json.loads(run("schema", "asyncapi").stdout)["asyncapi"] == "3.0.0"


def test_a_name_that_is_near_to_none_suggests_none(run):
    assert "did you mean" not in run("schema", "nope").stderr


def test_an_unknown_name_suggests_a_near_one(run):
    done = run("schema", "TaskReqest")
    assert (done.exit_code, "TaskRequest" in done.stderr) == (1, True)
