"""`greatseal perspective serve` as a process of its own, asked over mutual TLS, with name servers of this test."""

import sys
from pathlib import Path

from greatseal.domain.validation.ports import ControlFailure, Finding
from greatseal.integrations.domain_control.perspectives import Place, RemotePerspective, client_context
from greatseal.integrations.domain_control.questions import CaaQuestion, CnameQuestion, HttpQuestion
from greatseal.kernel.clock import SystemClock
from interop.programs import running
from made_authorities import Authority
from made_dns import MadeZone, serving, telling

GREATSEAL = Path(sys.executable).with_name("greatseal")
VALUE = "_b.acm-validations.aws"
RECORDS = f'_a CNAME {VALUE}.\npage A 10.0.0.1\nours CAA 0 issue "ca.example"\n'


def test_a_perspective_looks_for_itself(tmp_path):
    zone = MadeZone(".", f"@ NS ns.\nns. A 127.0.0.1\n{RECORDS}", denial="nsec", at=SystemClock().now())
    ours = Authority(tmp_path, "ours")
    certificate, key = ours.issue("agent")
    with serving({"127.0.0.1": telling(zone)}) as servers:
        (tmp_path / "anchor").write_text(zone.ds)
        (tmp_path / "settings.toml").write_text(
            f'[resolver]\nhints = ["127.0.0.1"]\nport = {servers.port}\nanchors_file = "anchor"\n'
        )
        files = ("--certificate", certificate, "--key", key, "--ca", ours.certificate)
        command = (GREATSEAL, "perspective", "serve", "--listen", "127.0.0.1:0", *files, "--config", "settings.toml")
        with running(*command, folder=tmp_path, ready=r"ready https://127.0.0.1:(\d+)") as found:
            context = client_context(ours.certificate, *ours.issue("client"))
            remote = RemotePerspective(Place("far", "127.0.0.1", int(found[1]), "RIPE"), context, 10)
            assert remote.ask(CnameQuestion("_a", VALUE)) == Finding(True)
            assert remote.ask(CnameQuestion("_z", VALUE)).failure == ControlFailure.NOT_FOUND
            assert remote.ask(HttpQuestion("http://page/x", "y")).failure == ControlFailure.REFUSED_ADDRESS
            assert remote.ask(CaaQuestion("ours", False, "dns", "", ("ca.example",))).ok
            assert remote.ask(CaaQuestion("ours", False, "dns", "", ("other.example",))).failure == ControlFailure.CAA
