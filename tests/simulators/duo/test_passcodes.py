"""Passcodes work once, and a used one is told from a wrong one."""

from __future__ import annotations

import pytest

from casduo.simulators.duo.passcodes import BypassCodes, CodeGenerator, CodeList, Verdict, random_digits, sms_batch

RFC_4226_CODES = [
    "755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489",
]  # fmt: skip


def test_codes_are_those_of_rfc_4226_appendix_d() -> None:
    generator = CodeGenerator(b"12345678901234567890")
    assert [generator.next_code() for _ in range(10)] == RFC_4226_CODES


class TestGenerator:
    def test_a_code_works_once(self) -> None:
        generator = CodeGenerator()
        code = generator.next_code()
        assert generator.check(code) is Verdict.VALID
        assert generator.check(code) is Verdict.USED

    def test_codes_shown_before_the_one_used_are_gone(self) -> None:
        generator = CodeGenerator(b"12345678901234567890")
        skipped, used = generator.next_code(), generator.next_code()
        assert generator.check(used) is Verdict.VALID
        assert generator.check(skipped) is Verdict.USED

    def test_a_guess_is_wrong(self) -> None:
        assert CodeGenerator(b"12345678901234567890").check("000000") is Verdict.WRONG

    def test_a_code_too_far_ahead_is_wrong(self) -> None:
        generator = CodeGenerator(b"12345678901234567890")
        codes = [generator.next_code() for _ in range(30)]
        assert generator.check(codes[25]) is Verdict.WRONG

    def test_the_secret_is_not_in_its_text(self) -> None:
        assert "12345678901234567890" not in repr(CodeGenerator(b"12345678901234567890"))


class TestList:
    def test_each_code_works_once(self) -> None:
        codes = CodeList()
        codes.replace(["111111111", "222222222"])
        assert codes.check("222222222") is Verdict.VALID
        assert codes.check("222222222") is Verdict.USED
        assert codes.check("333333333") is Verdict.WRONG
        assert codes.unused == ("111111111",)

    def test_new_codes_put_an_end_to_old_ones(self) -> None:
        codes = CodeList()
        codes.replace(["1111111"])
        codes.replace(["1222222"])
        assert codes.check("1111111") is Verdict.WRONG


class TestBypassCodes:
    def test_each_code_works_once_by_default(self) -> None:
        codes = BypassCodes()
        codes.replace(["111111111", "222222222"])
        assert codes.check("222222222", 0.0) is Verdict.VALID
        assert codes.check("222222222", 0.0) is Verdict.USED
        assert codes.check("333333333", 0.0) is Verdict.WRONG
        assert [each.code for each in codes.unused(0.0)] == ["111111111"]

    def test_a_code_may_work_more_often(self) -> None:
        codes = BypassCodes()
        codes.add(["111111111"], uses=2)
        codes.add(["222222222"], uses=None)
        assert [codes.check("111111111", 0.0) for _ in range(3)] == [Verdict.VALID, Verdict.VALID, Verdict.USED]
        assert {codes.check("222222222", 0.0) for _ in range(3)} == {Verdict.VALID}

    def test_a_code_that_ran_out_is_wrong(self) -> None:
        codes = BypassCodes()
        codes.add(["111111111"], expires=60.0)
        assert codes.unused(60.0) == ()
        assert codes.check("111111111", 60.0) is Verdict.WRONG
        assert codes.check("111111111", 59.0) is Verdict.VALID

    def test_a_code_handed_out_again_works_again(self) -> None:
        codes = BypassCodes()
        for _ in range(2):
            codes.add(["111111111"])
            assert codes.check("111111111", 0.0) is Verdict.VALID

    def test_no_code_is_in_its_text(self) -> None:
        codes = BypassCodes()
        codes.add(["111111111"])
        assert "111111111" not in repr(codes) + repr(codes.unused(0.0))


def test_the_codes_of_a_batch_begin_with_their_number() -> None:
    batch = sms_batch(3)
    assert [code[0] for code in batch] == ["1", "2", "3"]
    assert {len(code) for code in batch} == {7}


@pytest.mark.parametrize("length", [3, 9])
def test_random_digits_are_digits(length: int) -> None:
    digits = random_digits(length)
    assert len(digits) == length
    assert digits.isdigit()
