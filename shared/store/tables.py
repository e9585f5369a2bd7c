"""The tables of the resource store: the same in every service's database (each has its own)."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import ARRAY, BigInteger, Column, DateTime, Identity, Index, LargeBinary, MetaData, Numeric, Text, text
from sqlmodel import Field, SQLModel

metadata = MetaData()


class StoreTable(SQLModel):
    """The base of the store's tables, with a MetaData of its own."""

    metadata = metadata


class ResourceRow(StoreTable, table=True):
    """The current version of a resource. ``body`` is the exact bytes that are served."""

    __tablename__ = "resource"
    __table_args__ = (
        Index("resource_identity", "type", "id", unique=True),
        Index("resource_patient", "type", "patient", "rid", postgresql_where=text("NOT deleted")),
        Index("resource_updated", "type", "last_updated", "rid", postgresql_where=text("NOT deleted")),
        Index("resource_order", "type", "rid", postgresql_where=text("NOT deleted")),
        Index("resource_terms", "terms", postgresql_using="gin", postgresql_where=text("NOT deleted")),
    )
    rid: int = Field(sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    type: str = Field(sa_type=Text)
    id: str = Field(sa_type=Text)
    version: int
    last_updated: datetime = Field(sa_type=DateTime(timezone=True))  # type: ignore[call-overload]
    deleted: bool = False
    patient: str | None = Field(default=None, sa_type=Text)
    terms: list[int] = Field(sa_column=Column(ARRAY(BigInteger), nullable=False))
    body: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class HistoryRow(StoreTable, table=True):
    """Every version that a resource ever had, and the method that made it. A deletion has an empty body."""

    __tablename__ = "resource_history"
    type: str = Field(primary_key=True, sa_type=Text)
    id: str = Field(primary_key=True, sa_type=Text)
    version: int = Field(primary_key=True)
    last_updated: datetime = Field(sa_type=DateTime(timezone=True))  # type: ignore[call-overload]
    method: str = Field(sa_type=Text)
    body: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class DateRow(StoreTable, table=True):
    """A date parameter's value: [low, high)."""

    __tablename__ = "index_date"
    __table_args__ = (
        Index("index_date_low", "type", "param", "low", "rid"),
        Index("index_date_rid", "rid"),
    )
    key: int = Field(sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    rid: int = Field(sa_type=BigInteger)
    type: str = Field(sa_type=Text)
    param: str = Field(sa_type=Text)
    low: datetime = Field(sa_type=DateTime(timezone=True))  # type: ignore[call-overload]
    high: datetime = Field(sa_type=DateTime(timezone=True))  # type: ignore[call-overload]


class StringRow(StoreTable, table=True):
    """A string parameter's value, folded and exact."""

    __tablename__ = "index_string"
    __table_args__ = (
        Index("index_string_value", "type", "param", "value", "rid", postgresql_ops={"value": "text_pattern_ops"}),
        Index("index_string_rid", "rid"),
    )
    key: int = Field(sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    rid: int = Field(sa_type=BigInteger)
    type: str = Field(sa_type=Text)
    param: str = Field(sa_type=Text)
    value: str = Field(sa_type=Text)
    exact: str = Field(sa_type=Text)


class QuantityRow(StoreTable, table=True):
    """A number or quantity parameter's value as the range that its precision implies."""

    __tablename__ = "index_quantity"
    __table_args__ = (
        Index("index_quantity_low", "type", "param", "low", "rid"),
        Index("index_quantity_rid", "rid"),
    )
    key: int = Field(sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    rid: int = Field(sa_type=BigInteger)
    type: str = Field(sa_type=Text)
    param: str = Field(sa_type=Text)
    unit: int | None = Field(default=None, sa_type=BigInteger)
    low: Decimal = Field(sa_type=Numeric)
    high: Decimal = Field(sa_type=Numeric)
