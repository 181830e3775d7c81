"""Readable words for the demo shop's till abbreviations ("FRZN BRKFST SNDWCH" → "frozen breakfast sandwich")."""

from __future__ import annotations

import re

_SPELLED_TEXT = """
frzn=frozen | frz=frozen | misc=miscellaneous | sply=supply | supppliess=supplies | suppplies=supplies
veg=vegetable | fd=food | carb=carbonated | crbntd=carbonated | drnk=drink | drnks=drinks | drnking=drinking
drnkng=drinking | sherbts=sherbets | bkd=baked | refrgratd=refrigerated | refrig=refrigerated | dnr=dinner
dnrs=dinners | btl=bottle | sft=soft | flvrd=flavored | flvr=flavor | sald=salad | drsng=dressing | sndwch=sandwich
sandwic=sandwich | sprd=spread | brkfst=breakfast | whlsm=wholesome | prem=premium | fem=feminine | cleang=cleaning
chococlate=chocolate | chocol=chocolate | choc=chocolate | dsh=dish | dps=dips | hygn=hygiene | gds=goods
btr=butter | wtr=water | wat=water | wate=water | pnt=peanut | mxs=mixes | mixs=mixes | mx=mix | trsh=trash | bg=bag
pk=pack | pkg=package | pkgd=packaged | pckgd=packaged | pkld=pickled | pickld=pickled | jce=juice | pwdr=powder
crystl=crystal | snks=snacks | ckys=cookies | crkr=cracker | cndy=candy | stk=stick | cntrl=control
beeralemalt=beer ale malt | saucessalsapicantee=sauces salsa picante | catfd=cat food | dogfd=dog food | sup=super
preportnd=preportioned | chick=chicken | chix=chicken | sngl=single | sgl=single | srv=serve | sv=serve | mlt=multi
excp=except | conc=concentrate | brd=bread | br=bread | crmd=creamed | bev=beverage | deod=deodorant | syrp=syrup
lozng=lozenge | drp=drop | xpctrnt=expectorant | prod=products | incl=including | occas=occasion | mnrl=mineral
mneral=mineral | liq=liquid | liqs=liquids | sweetners=sweeteners | combin=combination | tiss=tissue | saus=sausage
mustar=mustard | whl=whole | clu=club | supplemen=supplement | othe=other | additi=additives | swe=sweet
prslc=presliced | prpck=prepacked | access=accessories | marinad=marinated | vac=vacuum | mach=machine
may=mayonnaise | memorablilia=memorabilia | tort=tortilla | pur=pure | prep=prepared | ref=refrigerated | wra=wraps
decors=decorations | lf=loaf
"""
_SPELLED = dict(pair.split("=") for line in _SPELLED_TEXT.strip().splitlines() for pair in line.split(" | "))
_UNITS = {"ct": "count", "pk": "pack", "z": "oz", "ld": "loads", "pc": "pieces", "dz": "dozen", "plst": "plastic"}


def words(text: str) -> str:
    """A category or type in lower-case words: ``"ICE - CRUSHED/CUBED"`` → ``"ice crushed/cubed"``."""
    spaced = re.sub(r"\s+-\s+|[:;,()*]+", " ", text.lower().replace("&", " and "))
    return " ".join(_SPELLED.get(w, w) for part in spaced.split() for w in _tokens(part)).replace(" / ", "/")


def package(text: str) -> str:
    """A package size: ``"CR    8 OZ"`` → ``"8 oz"``, ``"04476832 OZ"`` → ``"32 oz"`` (the till's codes are cut off)."""
    plain = re.sub(r"^\d{6}\s*", "", text.strip())
    plain = re.sub(r"^[A-Z]{1,2}\s*(?=[\d.])", "", plain).lower()
    parts = re.findall(r"[a-z]+|[^a-z\s]+", plain)
    return " ".join(_UNITS.get(p, p) for p in parts)


def title(kind: str | None, category: str | None, brand: str | None, size: str | None) -> str | None:
    """One readable line; None when neither type nor category is known."""
    if kind is None and category is None:
        return None
    parts = [kind or category or ""]
    if kind and category and category != kind:
        parts.append(category)
    if brand:
        parts.append("store brand" if brand == "Private" else "national brand")
    if size:
        parts.append(size)
    line = ", ".join(parts)
    return line[0].upper() + line[1:]


def _tokens(part: str) -> list[str]:
    pieces = re.split(r"(/)", part)
    return [p for p in pieces if p]
