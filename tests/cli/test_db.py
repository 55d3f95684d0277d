import json


def test_an_empty_database_is_behind_until_it_is_upgraded(program, tmp_path):
    url = f"sqlite:///{tmp_path}/new.db"
    before = program("db", "status", REWARD_LLM_DATABASE_URL=url)
    assert before.code == 1
    assert "Run `reward-llm db upgrade`" in " ".join(before.out.split())
    assert program("db", "upgrade").code == 0
    after = program("db", "status", "--json")
    assert after.code == 0
    assert json.loads(after.out)["up_to_date"] is True


def test_a_url_that_is_no_database_is_wrong_settings(program):
    result = program("db", "upgrade", REWARD_LLM_DATABASE_URL="redis://localhost")
    assert result.code == 2
    assert result.err.startswith("error: ")
