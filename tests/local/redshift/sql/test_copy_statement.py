from __future__ import annotations

import pytest

from local.redshift.sql.plan import Load, Refuse
from local.redshift.sql.rewrite import rewrite

START = "copy t from 's3://b/k' "
ROLE = "arn:aws:iam::123456789012:role/loads/Sparkify"
SECRET = "wJalrXUtnFEMI/K7MDENG"

ACCEPTED = {
    "default role": "iam_role default json 'auto'",
    "role": f"iam_role '{ROLE}' json 'auto'",
    "chained roles": f"iam_role '{ROLE},{ROLE}' json 'auto'",
    "role of another partition": "iam_role 'arn:aws-us-gov:iam::1:role/x' json 'auto'",
    "credentials of a role": f"with credentials as 'aws_iam_role={ROLE}' json 'auto'",
    "credentials of a key": f"credentials 'aws_access_key_id=AKIA1;aws_secret_access_key={SECRET}' json 'auto'",
    "credentials of a token": f"credentials 'aws_access_key_id=A;aws_secret_access_key={SECRET};token=t/=' json 'auto'",
    "keys": f"access_key_id 'AKIA1' secret_access_key '{SECRET}' json 'auto'",
    "keys and token": f"access_key_id 'AKIA1' secret_access_key '{SECRET}' session_token 't' json 'auto'",
    "as": "iam_role default format as json as 'auto' region as 'eu-central-1' maxerror as 7",
    "no argument": "iam_role default format json compupdate statupdate gzip",
    "preset": "iam_role default json 'auto' compupdate preset statupdate true",
    "rounding": "iam_role default json 'auto' roundec truncatecolumns",
    "time format": "iam_role default json 'auto' timeformat as 'YYYY/MM/DD HH24.MI'",
}
REFUSED = {
    "unknown option": "iam_role default json 'auto' acceptinvchars",
    "unknown format": "iam_role default format parquet",
    "gzip as a format": "iam_role default json 'auto' format gzip",
    "noshred": "iam_role default json 'noshred'",
    "twice": "iam_role default json 'auto' json 'auto'",
    "no format": "iam_role default",
    "no authorisation": "json 'auto'",
    "two authorisations": f"iam_role default credentials 'aws_iam_role={ROLE}' json 'auto'",
    "half a key": f"secret_access_key '{SECRET}' json 'auto'",
    "no role": "iam_role 'sparkify' json 'auto'",
    "no credentials": f"credentials '{SECRET}' json 'auto'",
    "blanks in credentials": f"credentials 'aws_access_key_id=A; aws_secret_access_key={SECRET}' json 'auto'",
    "unquoted secret": "access_key_id 'A' secret_access_key wJalrXUtnFEMI json 'auto'",
    "secret instead of an option": f"iam_role default json 'auto' '{SECRET}'",
    "too many errors": "iam_role default json 'auto' maxerror 100001",
    "no number": "iam_role default json 'auto' maxerror 'x'",
    "no region": "iam_role default json 'auto' region 'here'",
    "keyword in capitals": "iam_role default json 'auto' timeformat 'AUTO'",
    "twelve-hour clock": "iam_role default json 'auto' timeformat 'YYYY-MM-DD HH12:MI:SS AM'",
    "no year": "iam_role default json 'auto' timeformat 'MM-DD HH:MI'",
    "part twice": "iam_role default json 'auto' timeformat 'YYYY-MM-DD YYYY'",
    "zone": "iam_role default json 'auto' timeformat 'YYYY-MM-DD HH:MI:SSOF'",
}


@pytest.mark.parametrize("options", ACCEPTED.values(), ids=ACCEPTED)
def test_an_option_is_accepted_as_documented(options: str) -> None:
    (plan,) = rewrite(START + options)
    assert isinstance(plan, Load), plan


@pytest.mark.parametrize("options", REFUSED.values(), ids=REFUSED)
def test_any_other_option_or_argument_is_refused_and_no_secret_repeated(options: str) -> None:
    (plan,) = rewrite(START + options)
    assert isinstance(plan, Refuse), plan
    assert "wJalrXUtnFEMI" not in plan.message


def test_an_option_is_refused_by_its_name() -> None:
    (plan,) = rewrite(START + "iam_role default json 'auto' AcceptInvChars as '^'")
    assert isinstance(plan, Refuse)
    assert plan.message == "COPY's option ACCEPTINVCHARS is refused: the stand-in does not know it."


def test_options_are_in_the_plan() -> None:
    (plan,) = rewrite(START + "iam_role default json 'auto ignorecase' maxerror 0 blanksasnull emptyasnull manifest")
    assert isinstance(plan, Load)
    assert (plan.json_paths, plan.max_errors, plan.manifest, plan.gzip) == ("auto ignorecase", 0, True, False)
    assert plan.flags == {"BLANKSASNULL", "EMPTYASNULL"}
