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


def test_an_empty_postgresql_database_is_upgraded(program, postgres_url):
    assert program("db", "status", REWARD_LLM_DATABASE_URL=postgres_url).code == 1
    assert program("db", "upgrade").code == 0
    assert program("db", "status").code == 0


def test_a_server_that_is_not_there_is_told_without_the_password(program, unused_tcp_port):
    url = f"postgresql://ann:s3cret@127.0.0.1:{unused_tcp_port}/reward"
    for command in ("status", "upgrade"):
        result = program("db", command, REWARD_LLM_DATABASE_URL=url)
        assert result.code == 1
        assert "server runs" in " ".join(result.err.split())
        assert "s3cret" not in result.out + result.err


def test_a_url_that_is_no_database_is_wrong_settings(program):
    result = program("db", "upgrade", REWARD_LLM_DATABASE_URL="redis://localhost")
    assert result.code == 2
    assert result.err.startswith("error: ")
