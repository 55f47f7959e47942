"""Which parts a stack has: those of every stack, and ClickHouses and namespaces beside them."""

from pathlib import Path

from windlass.localstack import parts, state


def test_a_further_clickhouse_has_a_port_and_a_directory_of_its_own(tmp_path: Path) -> None:
    record = state.new_record().with_ports(["clickhouse-voice-prod"])
    assert len(set(record.ports.values())) == len(record.ports)
    found = {part.name: part for part in parts.servers(tmp_path, record, ["voice-prod"])}
    assert list(found) == ["postgres", "clickhouse", "clickhouse-voice-prod", "temporal"]
    argv = [str(word) for word in found["clickhouse-voice-prod"].command.argv]
    assert any(str(tmp_path / "clickhouse-voice-prod") in word for word in argv)
    url = parts.clickhouse_url(record, "clickhouse-voice-prod")
    assert url.endswith(f":{record.ports['clickhouse-voice-prod']}")
    assert found["temporal"].command.argv[-2:] == ["--namespace", "voice-prod"]


def test_ports_that_are_there_stay() -> None:
    record = state.new_record().with_ports(["clickhouse-a"])
    again = record.with_ports(["clickhouse-a", "clickhouse-b"])
    assert again.ports["clickhouse-a"] == record.ports["clickhouse-a"]
    assert record.with_ports(["clickhouse-a"]) is record
