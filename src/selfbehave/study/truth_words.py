"""TRUE and FALSE as spreadsheet programs write them in languages that use semicolons in CSV."""

from __future__ import annotations

import unicodedata

__all__ = ["truth_of"]

# Booleans as Excel and LibreOffice Calc show them, by language; both forms if they differ.
_WORDS = {
    "English": ("TRUE", "FALSE"),
    "Bulgarian": ("ВЯРНО", "НЕВЯРНО"),
    "Bulgarian, Excel": ("ИСТИНА", "ЛЪЖА"),
    "Catalan": ("CERT", "FALS"),
    "Croatian": ("TOČNO", "NETOČNO"),
    "Czech and Slovak": ("PRAVDA", "NEPRAVDA"),
    "Danish": ("SAND", "FALSK"),
    "Dutch": ("WAAR", "ONWAAR"),
    "Estonian": ("TÕENE", "VÄÄR"),
    "Finnish": ("TOSI", "EPÄTOSI"),
    "French": ("VRAI", "FAUX"),
    "German": ("WAHR", "FALSCH"),
    "Greek": ("ΣΩΣΤΌ", "ΛΆΘΟΣ"),
    "Greek, Excel": ("ΑΛΗΘΕΣ", "ΨΕΥΔΕΣ"),
    "Hungarian": ("IGAZ", "HAMIS"),
    "Indonesian": ("BENAR", "SALAH"),
    "Italian": ("VERO", "FALSO"),
    "Lithuanian": ("TEISINGAI", "NETEISINGAI"),
    "Norwegian": ("SANT", "USANT"),
    "Norwegian, Excel": ("SANN", "USANN"),
    "Polish": ("PRAWDA", "FAŁSZ"),
    "Portuguese": ("VERDADEIRO", "FALSO"),
    "Romanian": ("ADEVĂRAT", "FALS"),
    "Russian": ("ИСТИНА", "ЛОЖЬ"),
    "Spanish": ("VERDADERO", "FALSO"),
    "Swedish": ("SANT", "FALSKT"),
    "Turkish": ("DOĞRU", "YANLIŞ"),
    "Ukrainian": ("ІСТИНА", "ХИБНІСТЬ"),
    "Vietnamese": ("ĐÚNG", "SAI"),
    "people, in English": ("YES", "NO"),
    "numbers": ("1", "0"),
    "numbers with a decimal point": ("1.0", "0.0"),
    "numbers with a decimal comma": ("1,0", "0,0"),
}


def truth_of(text: str) -> bool | None:
    """The value of a word for true or false; None if it is neither."""
    return _TRUTH.get(_folded(text))


def _folded(text: str) -> str:
    # Compose accents, since macOS may write them as separate characters. Map the Turkish
    # dotless i to i, since lower-casing turns a capital I into i.
    return unicodedata.normalize("NFKC", text).strip().casefold().replace("\u0131", "i")


_TRUTH = {
    _folded(word): value
    for pair in _WORDS.values()
    for word, value in zip(pair, (True, False), strict=True)
}
