"""The measurement families that a new PIM comes with, those that catalogues use.

Source: https://api.akeneo.com/concepts/catalog-structure.html#measurement-family and the
PIM's own list of units. A unit is its code, its factor to the standard unit (the first one's
is 1) and its symbol; families that need more than a factor say so in `_OFFSETS`.
"""

from typing import Any

_FACTORS: dict[str, tuple[str, str]] = {
    "Angle": (
        "RADIAN",
        "RADIAN=1=rad MILLIRADIAN=0.001=mrad MICRORADIAN=0.000001=µrad DEGREE=0.01745329=° "
        "MINUTE=0.0002908882=' SECOND=0.000004848137=\" GON=0.01570796=gon MIL=0.0009817477=mil "
        "REVOLUTION=6.283185=rev",
    ),
    "Area": (
        "SQUARE_METER",
        "SQUARE_MILLIMETER=0.000001=mm² SQUARE_CENTIMETER=0.0001=cm² SQUARE_DECIMETER=0.01=dm² "
        "SQUARE_METER=1=m² CENTIARE=1=ca SQUARE_DEKAMETER=100=dam² ARE=100=a "
        "SQUARE_HECTOMETER=10000=hm² HECTARE=10000=ha SQUARE_KILOMETER=1000000=km² "
        "SQUARE_MIL=0.00000000064516=sq_mil SQUARE_INCH=0.00064516=in² "
        "SQUARE_FOOT=0.09290304=ft² SQUARE_YARD=0.83612736=yd² ARPENT=3418.89=arpent "
        "ACRE=4046.856422=A SQUARE_FURLONG=40468.726=fur² SQUARE_MILE=2589988.110336=mi²",
    ),
    "Binary": (
        "BYTE",
        "CHAR=8=char BIT=0.125=b KILOBIT=125=kbit MEGABIT=125000=Mbit GIGABIT=125000000=Gbit "
        "BYTE=1=B KILOBYTE=1024=kB MEGABYTE=1048576=MB GIGABYTE=1073741824=GB "
        "TERABYTE=1099511627776=TB",
    ),
    "Brightness": ("LUMEN", "LUMEN=1=lm NIT=0.2918855809=nits"),
    "Capacitance": (
        "FARAD",
        "ATTOFARAD=0.000000000000000001=aF PICOFARAD=0.000000000001=pF NANOFARAD=0.000000001=nF "
        "MICROFARAD=0.000001=µF "
        "MILLIFARAD=0.001=mF FARAD=1=F KILOFARAD=1000=kF",
    ),
    "CaseBox": ("PIECE", "PIECE=1=Pc DOZEN=12=Dz"),
    "Decibel": ("DECIBEL", "DECIBEL=1=dB"),
    "Duration": (
        "SECOND",
        "MILLISECOND=0.001=ms SECOND=1=s MINUTE=60=m HOUR=3600=h DAY=86400=d WEEK=604800=week "
        "MONTH=2628000=month YEAR=31536000=year",
    ),
    "ElectricCharge": (
        "AMPEREHOUR",
        "MILLIAMPEREHOUR=0.001=mAh AMPEREHOUR=1=Ah MILLICOULOMB=0.00000027777778=mC "
        "CENTICOULOMB=0.0000027777778=cC DECICOULOMB=0.000027777778=dC COULOMB=0.00027777778=C "
        "DEKACOULOMB=0.0027777778=daC HECTOCOULOMB=0.027777778=hC KILOCOULOMB=0.27777778=kC",
    ),
    "Energy": ("JOULE", "JOULE=1=J CALORIE=4.184=cal KILOCALORIE=4184=kcal KILOJOULE=1000=kJ"),
    "Force": (
        "NEWTON",
        "MILLINEWTON=0.001=mN NEWTON=1=N KILONEWTON=1000=kN MEGANEWTON=1000000=MN",
    ),
    "Frequency": (
        "HERTZ",
        "HERTZ=1=Hz KILOHERTZ=1000=kHz MEGAHERTZ=1000000=MHz GIGAHERTZ=1000000000=GHz "
        "TERAHERTZ=1000000000000=THz",
    ),
    "Intensity": (
        "AMPERE",
        "MILLIAMPERE=0.001=mA CENTIAMPERE=0.01=cA DECIAMPERE=0.1=dA AMPERE=1=A "
        "DEKAMPERE=10=daA HECTOAMPERE=100=hA KILOAMPERE=1000=kA",
    ),
    "Length": (
        "METER",
        "MICROMETER=0.000001=μm MILLIMETER=0.001=mm "
        "CENTIMETER=0.01=cm DECIMETER=0.1=dm METER=1=m DEKAMETER=10=dam HECTOMETER=100=hm "
        "KILOMETER=1000=km MIL=0.0000254=mil INCH=0.0254=in FEET=0.3048=ft YARD=0.9144=yd "
        "CHAIN=20.1168=ch FURLONG=201.168=fur MILE=1609.344=mi NAUTICAL_MILE=1852=nm",
    ),
    "Power": (
        "WATT",
        "WATT=1=W KILOWATT=1000=kW MEGAWATT=1000000=MW GIGAWATT=1000000000=GW "
        "TERAWATT=1000000000000=TW",
    ),
    "Pressure": (
        "BAR",
        "CENTIBAR=0.01=cbar DECIBAR=0.1=dbar KILOBAR=1000=kbar MEGABAR=1000000=Mbar "
        "KILOPASCAL=0.01=kPa HECTOPASCAL=0.001=hPa MEGAPASCAL=10=MPa GIGAPASCAL=10000=GPa "
        "PASCAL=0.00001=Pa MILLIBAR=0.001=mBar BAR=1=Bar ATM=1.01325=atm "
        "PSI=0.0689475729=PSI TORR=0.00133322=Torr MMHG=0.00133322=mmHg",
    ),
    "Resistance": (
        "OHM",
        "MILLIOHM=0.001=mΩ CENTIOHM=0.01=cΩ DECIOHM=0.1=dΩ OHM=1=Ω DEKAOHM=10=daΩ "
        "HECTOHM=100=hΩ KILOHM=1000=kΩ MEGOHM=1000000=MΩ",
    ),
    "Speed": (
        "METER_PER_SECOND",
        "METER_PER_SECOND=1=m/s METER_PER_MINUTE=0.0166667=m/mn METER_PER_HOUR=0.000277778=m/h "
        "KILOMETER_PER_HOUR=0.277778=km/h FOOT_PER_SECOND=0.3048=ft/s "
        "FOOT_PER_HOUR=0.0000846667=ft/h YARD_PER_HOUR=0.000254=yd/h MILE_PER_HOUR=0.44704=mi/h",
    ),
    "Voltage": (
        "VOLT",
        "MILLIVOLT=0.001=mV CENTIVOLT=0.01=cV DECIVOLT=0.1=dV VOLT=1=V DEKAVOLT=10=daV "
        "HECTOVOLT=100=hV KILOVOLT=1000=kV",
    ),
    "Volume": (
        "CUBIC_METER",
        "CUBIC_MILLIMETER=0.000000001=mm³ CUBIC_CENTIMETER=0.000001=cm³ MICROLITER=0.000000001=μl "
        "MILLILITER=0.000001=ml HECTOLITER=0.1=hl "
        "CENTILITER=0.00001=cl DECILITER=0.0001=dl CUBIC_DECIMETER=0.001=dm³ LITER=0.001=l "
        "CUBIC_METER=1=m³ OUNCE=0.0000284130625=oz PINT=0.00056826125=pt BARREL=0.16365924=bbl "
        "GALLON=0.00454609=gal CUBIC_FOOT=0.0283168=ft³ CUBIC_INCH=0.0000163871=in³ "
        "CUBIC_YARD=0.764555=yd³",
    ),
    "Weight": (
        "KILOGRAM",
        "MICROGRAM=0.000000001=μg MILLIGRAM=0.000001=mg GRAM=0.001=g KILOGRAM=1=kg TON=1000=t "
        "GRAIN=0.00006479891=gr DENIER=0.001275=denier ONCE=0.03059=once MARC=0.24475=marc "
        "LIVRE=0.4895=livre OUNCE=0.02834952=oz POUND=0.45359237=lb",
    ),
}
_OFFSETS: dict[str, tuple[str, dict[str, tuple[str, list[tuple[str, str]]]]]] = {
    "Temperature": (
        "KELVIN",
        {
            "CELSIUS": ("°C", [("add", "273.15")]),
            "FAHRENHEIT": ("°F", [("sub", "32"), ("div", "1.8"), ("add", "273.15")]),
            "KELVIN": ("°K", [("mul", "1")]),
            "RANKINE": ("°R", [("div", "1.8")]),
            "REAUMUR": ("°r", [("mul", "1.25"), ("add", "273.15")]),
        },
    ),
}


def _unit(code: str, symbol: str, steps: list[tuple[str, str]]) -> dict[str, Any]:
    return {
        "code": code,
        "labels": {"en_US": code.replace("_", " ").capitalize()},
        "convert_from_standard": [{"operator": step, "value": value} for step, value in steps],
        "symbol": symbol,
    }


def _family(code: str, standard: str, units: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "code": code,
        "labels": {"en_US": code},
        "standard_unit_code": standard,
        "units": {unit["code"]: unit for unit in units},
    }


def _from_factors(code: str, standard: str, table: str) -> dict[str, Any]:
    cells = [entry.split("=") for entry in table.split()]
    return _family(
        code, standard, [_unit(unit, symbol, [("mul", factor)]) for unit, factor, symbol in cells]
    )


STANDARD_MEASUREMENT_FAMILIES: list[dict[str, Any]] = [
    *(_from_factors(code, standard, table) for code, (standard, table) in _FACTORS.items()),
    *(
        _family(code, standard, [_unit(unit, *settings) for unit, settings in units.items()])
        for code, (standard, units) in _OFFSETS.items()
    ),
]
