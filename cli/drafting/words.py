"""What names and abbreviations mean in exports of many languages: concepts, locales, units."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_CAMEL = re.compile(r"[A-ZА-ЯЁІЇЄ]+(?![a-zа-яё])|[A-ZА-ЯЁІЇЄ]?[^\W\d_A-ZА-ЯЁІЇЄ]+|\d+")
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")

CONCEPTS = {
    "name": "name title productname displayname itemname articlename bezeichnung nazwa nazev název "
    "názov nazov название назва наименование найменування nombre nome nom designation denumire "
    "titulo titel titre titolo descriptionshort benennung artikelbezeichnung artikelname navn namn "
    "nimi naam omschrijving ad urunadi ürünadı isim tradename shortname kurztext libelle libellé "
    "denominazione denominacion designacao nazivproizvoda naziv ime maktx stname itemdescription "
    "productdescription1 pname prodname nameenglish displaytitle",
    "description": "description desc beschreibung opis popis описание опис descripcion descrizione "
    "longdescription descriptionlong descripción descrição beskrivelse beskrivning kuvaus langtext "
    "omschrijvinglang aciklama açıklama leiras leírás descriere descriptif productdescription "
    "artikelbeschreibung body html bodyhtml text longtext fulldescription description1 content "
    "details dlouhypopis popisdlouhy",
    "short_description": "shortdescription kurzbeschreibung shortdesc summary teaser abstract "
    "descripcioncorta popiskratky kratkypopis shorttext descriptioncourte anons introtext",
    "brand": "brand manufacturer vendor marke hersteller producent vyrobce výrobce výrobca vyrobca "
    "znacka značka бренд производитель виробник изготовитель marca marque fabricante "
    "manufacturername brandname brandlabel producername производител make merk marka merke "
    "varumarke producer productbrand fabricant proizvodjac gyarto gyártó tootja",
    "ean": "ean ean13 ean11 gtin gtin13 gtin14 barcode upc internationalpid itemlevelgtin eancode "
    "штрихкод штрихкод barkod streckkod codebarres codigobarras codicebarre carovykod čárovýkód "
    "kodkreskowy eannumber eannr eancode13 upccode isbn isbn13 jan code128 scancode barcodevalue",
    "mpn": "mpn manufacturerpid manufactureraid partnumber productno vendorcode manufacturersku "
    "herstellernummer herstellerartikelnummer partno manufacturerpartnumber manufacturerpartno "
    "supplierpartnumber oem oemnumber manufacturerproductid manufactureritemid modelnumber han",
    "sku": "sku articlenumber artnr artikelnummer itemnumber productnumber productcode articul "
    "артикул itemcode stockcode itemno artikelnr cartnr defaultcode productsku referencia",
    "price": "price preis cena pricevat priceamount unitprice cost цена ціна precio preco "
    "preço prezzo prix pricewithvat amount sellprice retailprice salesprice basicprice "
    "verkaufspreis vk vkpreis bruttopreis prijs pris pret preț hinta ár ar fiyat fiyati fiyatı "
    "priceincvat grossprice rrp msrp uvp price1 sellingprice standardrate rate standardprice",
    "weight": "weight gewicht grossweight netweight hmotnost hmotnosť waga вес вага peso poids "
    "weightkg fgewicht massa masa вага greutate vikt vekt paino tomeg tömeg agirlik ağırlık "
    "shippingweight масса productweight itemweight bruttogewicht nettogewicht gewichtkg brgew",
    "width": "width breite sirka šířka szerokosc szerokość ширина largeur ancho larghezza breedte "
    "bredde bredd breit productwidth",
    "height": "height hoehe höhe vyska výška wysokosc wysokość высота висота hauteur alto altezza "
    "hoogte hoejde hojd hoehe productheight",
    "length": "length laenge länge delka délka dlugosc długość длина довжина longueur largo "
    "lunghezza lengte laeng productlength",
    "depth": "depth tiefe hloubka glebokosc głębokość глубина глибина profondeur fondo profundidad "
    "profondita diepte dybde djup productdepth",
    "colour": "colour color farbe barva kolor цвет колір couleur colore farba kleur farge farg "
    "szin szín renk boja culoare spalva vari productcolour colorname colourname",
    "size": "size groesse größe velikost rozmiar размер розмір taille taglia talla tamano tamaño "
    "maat storlek storrelse veľkosť velkost beden numara sizename grösse",
    "material": "material werkstoff stoff материал матеріал materiał materiál matiere matière "
    "materiale materiaal fabric malzeme composition",
    "image": "image picture img imgurl imagelink bild foto photo imageurl mimesource imagepath "
    "obrazek obrázek картинка изображение imagen immagine afbeelding zdjecie zdjęcie resim "
    "mainimage imagefile pictureurl photourl imgurl1 bildurl thumbnail imagesrc picurl kep kép",
    "url": "url link producturl href deeplink itemurl productlink websiteurl adres webadresse",
    "stock": "stock quantity qty stockqty instock availablestock quantityinstock bestand lager "
    "lagerbestand количество остаток кількість stocklevel stockquantity onhand availableqty zasoba "
    "sklad voorraad inventory qtyonhand stan stanmagazynowy giacenza existencias stoc stok keszlet "
    "qtyinstock inventorylevel closingbalance lagermenge count anzahl disponibilita",
    "category": "category categorytext producttype group cat categoryid kategorie kategoria "
    "категория categoria categorie classificationcategory warengruppe kategori productgroup "
    "itemgroup productcategory categorypath kategória categoryname categories parentgroup",
    "keywords": "keyword keywords tags searchterms schlagworte suchbegriffe metakeywords tag",
    "country_of_origin": "countryoforigin origin country herkunftsland странапроизводитель "
    "країнавиробник originalcountry herkl ursprungsland paysorigine paesediorigine landoforigin "
    "krajpochodzenia zemepuvodu origincountry страна",
    "material_group": "materialgroup matkl",
    "gender": "gender pohlavi pohlaví geschlecht пол стать plec genre sexe sesso genero",
    "warranty": "warranty garantie zaruka záruka gwarancja гарантия гарантія garantia garanzia "
    "guarantee garancia takuu garanti warrantymonths",
    "vat_rate": "vat vatrate tax taxrate dph mwst btw iva tva moms mva ставканалога gst gstrate "
    "mwstsatz steuersatz taxpercent vatpercent alv kdv stawkavat",
    "unit_of_measure": "unit uom baseunit baseunits einheit meins unitofmeasure mengeneinheit "
    "jednotka единица orderunit salesunit",
    "customs_tariff": "customstariff hscode hsncode hsn tariffnumber tariffcode commoditycode "
    "zolltarifnummer stawn taric intrastatcode tariffno customscode intrastat",
    "author": "author autor auteur autore автор writer personname authors",
    "publisher": "publisher verlag editeur éditeur editore editorial издательство publishername",
    "model": "model modell modele modello modelo modelname модель",
}
_CONCEPT = {word: concept for concept, words in CONCEPTS.items() for word in words.split()}

LOCALES = {
    "de": "de_DE", "en": "en_US", "fr": "fr_FR", "it": "it_IT", "es": "es_ES", "nl": "nl_NL",
    "pt": "pt_PT", "pl": "pl_PL", "cs": "cs_CZ", "sk": "sk_SK", "uk": "uk_UA", "ua": "uk_UA",
    "ru": "ru_RU", "da": "da_DK", "sv": "sv_SE", "nb": "nb_NO", "no": "nb_NO", "fi": "fi_FI",
    "hu": "hu_HU", "ro": "ro_RO", "bg": "bg_BG", "el": "el_GR", "hr": "hr_HR", "sl": "sl_SI",
    "et": "et_EE", "lv": "lv_LV", "lt": "lt_LT", "tr": "tr_TR", "ar": "ar_AE", "he": "he_IL",
    "zh": "zh_CN", "ja": "ja_JP", "ko": "ko_KR", "cz": "cs_CZ",
    "deu": "de_DE", "ger": "de_DE", "eng": "en_US", "fra": "fr_FR", "fre": "fr_FR",
    "ita": "it_IT", "spa": "es_ES", "nld": "nl_NL", "dut": "nl_NL", "por": "pt_PT",
    "pol": "pl_PL", "ces": "cs_CZ", "cze": "cs_CZ", "slk": "sk_SK", "ukr": "uk_UA",
    "rus": "ru_RU", "dan": "da_DK", "swe": "sv_SE", "nor": "nb_NO", "fin": "fi_FI",
    "hun": "hu_HU", "ron": "ro_RO", "tur": "tr_TR",
    "jpn": "ja_JP", "zho": "zh_CN", "chi": "zh_CN", "kor": "ko_KR", "ara": "ar_AE", "bul": "bg_BG",
    "ell": "el_GR", "gre": "el_GR", "hrv": "hr_HR", "slv": "sl_SI", "rum": "ro_RO", "est": "et_EE",
    "lav": "lv_LV", "lit": "lt_LT", "portuguese": "pt_PT", "czech": "cs_CZ", "slovak": "sk_SK",
    "russian": "ru_RU", "ukrainian": "uk_UA", "hungarian": "hu_HU", "swedish": "sv_SE",
    "danish": "da_DK", "norwegian": "nb_NO", "finnish": "fi_FI", "turkish": "tr_TR",
    "english": "en_US", "german": "de_DE", "french": "fr_FR", "italian": "it_IT",
    "spanish": "es_ES", "dutch": "nl_NL", "polish": "pl_PL",
    "deutsch": "de_DE", "englisch": "en_US", "französisch": "fr_FR",
}  # fmt: skip

UNITS = {
    "kg": "KILOGRAM", "kgm": "KILOGRAM", "кг": "KILOGRAM", "g": "GRAM", "gr": "GRAM",
    "grm": "GRAM", "г": "GRAM", "mg": "MILLIGRAM", "mgm": "MILLIGRAM", "t": "TON", "tne": "TON",
    "lb": "POUND", "lbs": "POUND", "lbr": "POUND", "pg": "POUND", "oz": "OUNCE", "onz": "OUNCE",
    "m": "METER", "mtr": "METER", "м": "METER", "cm": "CENTIMETER", "cmt": "CENTIMETER",
    "см": "CENTIMETER", "mm": "MILLIMETER", "mmt": "MILLIMETER", "мм": "MILLIMETER",
    "km": "KILOMETER", "kmt": "KILOMETER", "in": "INCH", "inh": "INCH", "ft": "FEET",
    "fot": "FEET", "l": "LITER", "ltr": "LITER", "л": "LITER", "ml": "MILLILITER",
    "mlt": "MILLILITER", "мл": "MILLILITER", "mtq": "CUBIC_METER", "m3": "CUBIC_METER",
    "m²": "SQUARE_METER", "m2": "SQUARE_METER", "mtk": "SQUARE_METER", "cm²": "SQUARE_CENTIMETER",
    "mm²": "SQUARE_MILLIMETER", "mmk": "SQUARE_MILLIMETER", "w": "WATT", "wtt": "WATT",
    "вт": "WATT", "kw": "KILOWATT", "kwt": "KILOWATT", "kwh": "KILOWATT_HOUR", "v": "VOLT",
    "vlt": "VOLT", "в": "VOLT", "kv": "KILOVOLT", "a": "AMPERE", "amp": "AMPERE",
    "ma": "MILLIAMPERE", "hz": "HERTZ", "htz": "HERTZ", "°c": "CELSIUS", "cel": "CELSIUS",
    "sec": "SECOND", "s": "SECOND", "min": "MINUTE", "h": "HOUR", "hur": "HOUR", "day": "DAY",
    "bar": "BAR", "pa": "PASCAL", "mb": "MEGABYTE", "gb": "GIGABYTE", "гб": "GIGABYTE",
    "tb": "TERABYTE", "db": "DECIBEL", "дб": "DECIBEL", "gramm": "GRAM", "gram": "GRAM",
    "grams": "GRAM", "kilogram": "KILOGRAM", "kilograms": "KILOGRAM", "kilo": "KILOGRAM",
    "kgs": "KILOGRAM", "pound": "POUND", "pounds": "POUND", "ounce": "OUNCE", "ounces": "OUNCE",
    "to": "TON", "metre": "METER", "meter": "METER", "meters": "METER", "mt": "METER",
    "centimeter": "CENTIMETER", "centimeters": "CENTIMETER", "centimetre": "CENTIMETER",
    "millimeter": "MILLIMETER", "millimeters": "MILLIMETER", "millimetre": "MILLIMETER",
    "inch": "INCH", "inches": "INCH", "zoll": "INCH", "dm": "DECIMETER", "dmt": "DECIMETER",
    "feet": "FEET", "foot": "FEET", "liter": "LITER", "litre": "LITER", "cl": "CENTILITER",
    "clt": "CENTILITER", "ccm": "CUBIC_CENTIMETER", "cm3": "CUBIC_CENTIMETER",
    "cmq": "CUBIC_CENTIMETER", "cdm": "CUBIC_DECIMETER", "dmq": "CUBIC_DECIMETER",
    "watt": "WATT", "volt": "VOLT", "mah": "MILLIAMPEREHOUR",
}  # fmt: skip
CURRENCY = re.compile(
    r"(EUR|USD|GBP|CHF|CZK|PLN|HUF|RON|BGN|SEK|NOK|DKK|UAH|RUB|KZT|TRY|JPY|CNY|CAD|AUD|NZD|AED|SAR"
    r"|INR|BRL|MXN|ZAR|SGD|HKD|ILS|RSD|ISK|KRW|THB|MYR)"
)
CURRENCY_SIGNS = {"€": "EUR", "$": "USD", "£": "GBP", "Kč": "CZK", "zł": "PLN", "₴": "UAH",
                  "грн": "UAH", "грн.": "UAH", "руб": "RUB", "руб.": "RUB", "₽": "RUB",
                  "RUR": "RUB", "TL": "TRY", "₺": "TRY", "Ft": "HUF",
                  "lei": "RON", "kr": "SEK", "₹": "INR", "Rs": "INR", "Rs.": "INR"}  # fmt: skip


def squashed(name: str) -> str:
    """A name as one word: PRICE_CURRENCY is pricecurrency."""
    return "".join(tokens(name))


def words_of(text: str) -> frozenset[str]:
    """A set of words, written as one text."""
    return frozenset(text.split())


def plain(name: str) -> str:
    """A name as people wrote it: Access and SQL Server write `Unit_x0020_Price` for Unit Price."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), name)


@lru_cache(maxsize=4096)
def tokens(name: str) -> tuple[str, ...]:
    """A name's words in lower case: `imageLink_2` is image, link, 2."""
    return tuple(word.lower() for word in _CAMEL.findall(plain(name)))


@lru_cache(maxsize=4096)
def concept(name: str) -> tuple[str, bool] | None:
    """What the name stands for, in the English of most catalogues; None: nothing known.

    The whole name counts, then its last word (`rsp_price` is some price), numbers left out; the
    second part of the answer says whether it was the whole name.
    """
    words = [word for word in tokens(name) if not word.isdigit()]
    whole = _CONCEPT.get("".join(words))
    if whole:
        return whole, True
    plain = "".join(
        c for c in unicodedata.normalize("NFKD", "".join(words)) if not unicodedata.combining(c)
    )
    if plain in _CONCEPT:
        return _CONCEPT[plain], True
    last = _CONCEPT.get(words[-1]) if words else None
    return (last, False) if last else None


def locale_of(word: str) -> str | None:
    """The locale that a language code of a file means: `DE`, `deu`, `en-GB`, `ua`."""
    language, _, country = word.strip().replace("-", "_").partition("_")
    found = LOCALES.get(language.lower())
    if found and country and len(country) == 2 and country.isalpha():
        return f"{found[:2]}_{country.upper()}"
    return found if not country else None


def unit_of(word: str) -> str | None:
    """The unit code of the PIM's standard families: `KGM` and `kg` are KILOGRAM."""
    return UNITS.get(word.strip().rstrip(".").lower())
