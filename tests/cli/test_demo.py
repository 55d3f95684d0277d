import os
import re
import subprocess
import sys
from pathlib import Path

DEMO = Path(__file__).parents[2] / "examples" / "demo.py"


def run_demo(**environment: str) -> subprocess.CompletedProcess[str]:
    settings = {**os.environ, "REWARD_LLM_BACKEND": "rules", "COLUMNS": "100", **environment}
    return subprocess.run([sys.executable, str(DEMO)], env=settings, capture_output=True, text=True, check=False)


def test_the_demo_goes_from_a_sentence_to_served_weights():
    done = run_demo()
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("304 Not Modified") == 2
    assert "the policy that was active stays active" in done.stdout
    assert re.search(r"slot +before +after", done.stdout)
    gained = re.search(r"cold_start \d\.\d+ \(([+-]\d\.\d+)\)", done.stdout)
    assert gained
    assert float(gained[1]) >= 0


def test_a_service_that_does_not_start_is_explained_by_its_log():
    done = run_demo(REWARD_LLM_LOG_LEVEL="shouting")
    assert done.returncode == 1
    assert "The service ended with code 2" in done.stdout
    assert "settings can't be used: log_level" in done.stdout
