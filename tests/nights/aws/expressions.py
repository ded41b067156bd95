"""DynamoDB's condition, key and update expressions, as far as items with flat names need them.

Parsed once per text; values keep DynamoDB's typed form, `{"S": "a"}`.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

Value = dict[str, Any]
Item = dict[str, Value]
Names = Mapping[str, str]
Values = Mapping[str, Value]
Condition = Callable[[Item, Names, Values], bool]
Operand = Callable[[Item, Names, Values], "Value | None"]
Action = Callable[[Item, Item, Names, Values], None]

_TOKEN = re.compile(r"\s*(<>|<=|>=|[=<>(),+-]|[#:]?[A-Za-z_][A-Za-z0-9_]*)")
_KEYWORDS = {"AND", "OR", "NOT", "BETWEEN", "IN", "SET", "REMOVE", "ADD", "DELETE"}


class ExpressionError(ValueError):
    """The expression is not one that DynamoDB, or this part of it, takes."""


@cache
def parse_condition(text: str) -> Condition:
    parser = _Parser(text)
    condition = parser.either()
    parser.end()
    return condition


@cache
def parse_update(text: str) -> tuple[Action, ...]:
    parser = _Parser(text)
    actions: list[Action] = []
    while parser.peek():
        clause = parser.take().upper()
        actions.append(parser.action(clause))
        while parser.accept(","):
            actions.append(parser.action(clause))
    return tuple(actions)


def number(value: Value) -> float:
    text = str(value["N"])
    return float(text) if "." in text or "e" in text.lower() else int(text)


def comparable(value: Value) -> tuple[str, Any]:
    kind, content = next(iter(value.items()))
    if kind == "N":
        return kind, number(value)
    return kind, bytes(content) if kind == "B" else content


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens: list[str] = []
        place = 0
        while text[place:].strip():
            found = _TOKEN.match(text, place)
            if found is None:
                raise ExpressionError(f"{text!r}: nothing understood at {place}")
            self._tokens.append(found.group(1))
            place = found.end()
        self._text = text

    def peek(self) -> str:
        return self._tokens[0] if self._tokens else ""

    def take(self) -> str:
        if not self._tokens:
            raise ExpressionError(f"{self._text!r} ends too early")
        return self._tokens.pop(0)

    def accept(self, token: str) -> bool:
        if self.peek().upper() != token:
            return False
        self._tokens.pop(0)
        return True

    def expect(self, token: str) -> None:
        if not self.accept(token):
            raise ExpressionError(f"{self._text!r}: {token} expected before {self.peek()!r}")

    def end(self) -> None:
        if self._tokens:
            raise ExpressionError(f"{self._text!r}: {self._tokens} is left over")

    def either(self) -> Condition:
        sides = [self.both()]
        while self.accept("OR"):
            sides.append(self.both())
        return lambda i, n, v: any(side(i, n, v) for side in sides)

    def both(self) -> Condition:
        sides = [self.negated()]
        while self.accept("AND"):
            sides.append(self.negated())
        return lambda i, n, v: all(side(i, n, v) for side in sides)

    def negated(self) -> Condition:
        if self.accept("NOT"):
            inner = self.negated()
            return lambda i, n, v: not inner(i, n, v)
        if self.accept("("):
            inner = self.either()
            self.expect(")")
            return inner
        return self.test()

    def test(self) -> Condition:
        if self.peek() in ("attribute_exists", "attribute_not_exists", "begins_with"):
            return self.function(self.take())
        left, operator = self.operand(), self.take().upper()
        if operator == "BETWEEN":
            low = self.operand()
            self.expect("AND")
            high = self.operand()
            return lambda i, n, v: (
                _compare("<=", low(i, n, v), left(i, n, v))
                and _compare("<=", left(i, n, v), high(i, n, v))
            )
        if operator == "IN":
            self.expect("(")
            choices = [self.operand()]
            while self.accept(","):
                choices.append(self.operand())
            self.expect(")")
            return lambda i, n, v: any(
                _compare("=", left(i, n, v), choice(i, n, v)) for choice in choices
            )
        right = self.operand()
        return lambda i, n, v: _compare(operator, left(i, n, v), right(i, n, v))

    def function(self, name: str) -> Condition:
        self.expect("(")
        first = self.operand()
        if name == "begins_with":
            self.expect(",")
            second = self.operand()
            self.expect(")")
            return lambda i, n, v: _text(first(i, n, v)).startswith(_text(second(i, n, v)))
        self.expect(")")
        if name == "attribute_exists":
            return lambda i, n, v: first(i, n, v) is not None
        return lambda i, n, v: first(i, n, v) is None

    def operand(self) -> Operand:
        token = self.take()
        if token.upper() in _KEYWORDS:
            raise ExpressionError(f"{self._text!r}: {token} is a reserved word here")
        if token.startswith(":"):
            return lambda i, n, v: v[token]
        if token == "if_not_exists":
            self.expect("(")
            attribute = self.operand()
            self.expect(",")
            instead = self.operand()
            self.expect(")")
            return lambda i, n, v: attribute(i, n, v) or instead(i, n, v)
        return lambda i, n, v: i.get(n[token] if token.startswith("#") else token)

    def attribute(self) -> Callable[[Names], str]:
        token = self.take()
        return lambda n: n[token] if token.startswith("#") else token

    def action(self, clause: str) -> Action:
        attribute = self.attribute()
        if clause == "REMOVE":
            return lambda old, new, n, v: _removed(new, attribute(n))
        if clause == "ADD":
            given = self.operand()
            return lambda old, new, n, v: new.update(
                {attribute(n): _sum(old.get(attribute(n)), given(old, n, v), 1)}
            )
        if clause != "SET":
            raise ExpressionError(f"{self._text!r}: {clause} is not one of SET, ADD, REMOVE")
        self.expect("=")
        operand = self.operand()
        if self.peek() not in ("+", "-"):
            return lambda old, new, n, v: new.update(
                {attribute(n): _there(operand(old, n, v), self._text)}
            )
        sign = 1 if self.take() == "+" else -1
        other = self.operand()
        return lambda old, new, n, v: new.update(
            {attribute(n): _sum(operand(old, n, v), other(old, n, v), sign)}
        )


def _there(value: Value | None, text: str) -> Value:
    if value is None:
        raise ExpressionError(f"{text!r} reads an attribute that is not there")
    return value


def _sum(left: Value | None, right: Value | None, sign: int) -> Value:
    assert right is not None
    return {"N": str((number(left) if left else 0) + sign * number(right))}


def _removed(item: Item, name: str) -> None:
    item.pop(name, None)


def _text(value: Value | None) -> str:
    return "" if value is None else str(value.get("S", ""))


def _compare(operator: str, left: Value | None, right: Value | None) -> bool:
    if left is None or right is None:
        return operator == "<>" and left is not right
    a, b = comparable(left), comparable(right)
    if operator == "=":
        return a == b
    if operator == "<>":
        return a != b
    if a[0] != b[0]:
        return False
    outcomes = {"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}
    return outcomes[operator]
