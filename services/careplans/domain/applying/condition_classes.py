"""The classes of conditions that the catalogue knows, as data.

Verified are the codes that the project's clinical sources name (SCT 82423001, ICD-10-CM F45.41 and F45.42, ICD-11
MG30.0). The others are beginnings of ICD-10 codes, and codes of SNOMED CT that public sample patients carry with a
fitting display; nobody has checked them one by one, and the document of the catalogue says so.
"""

from services.careplans.domain.applying.classes import ICD11, SNOMED, Coding, ConditionClass


def _snomed(*codes: str) -> tuple[Coding, ...]:
    return tuple((SNOMED, code) for code in codes)


_PSYCHOLOGICAL = r"psychogenic pain|pain disorder\b.*\bpsychological|pain\b.*\bpsychological factors"
_PSYCHOGENIC = _PSYCHOLOGICAL + r"|somatoform pain|chronic primary pain"
_SUBSTANCE = r"(opioid|opiate|alcohol|substance|drug|heroin|cocaine|cannabis|amphetamine|benzodiazepine|sedative)"

CONDITION_CLASSES: tuple[ConditionClass, ...] = (
    ConditionClass(
        "chronic-pain",
        "chronicPain",
        "Chronic pain",
        (
            "F45.41",
            "F45.42",
            "F45.4",
            "G89.2",
            "G89.3",
            "G89.4",
            "M54",
            "M79.7",
            "M25.5",
            "G43",
            "G44",
            "R52.1",
            "R52.2",
        ),
        (*_snomed("82423001", "203082005", "278860009", "202725007"), (ICD11, "MG30.0")),
        verified=("F45.41", "F45.42", "82423001", "MG30.0"),
        name=(
            r"chronic\b.*\bpain|(back|neck|knee|hip|shoulder|joint|pelvic) pain|fibromyalgia|migraine|lumbago|backache"
            r"|pain in (the )?(\w+ )?(back|neck|knee|hip|shoulder|joint)|complex regional pain|" + _PSYCHOGENIC
        ),
        no_name=r"^(?!.*\bchronic\b).*\bacute\b",
        any_duration=("M54", "M25.5"),
    ),
    ConditionClass(
        "pain-with-psychological-factors",
        "painWithPsychologicalFactors",
        "Chronic pain with psychological factors",
        ("F45.41", "F45.42", "F45.4"),
        ((ICD11, "MG30.0"),),
        verified=("F45.41", "F45.42", "MG30.0"),
        name=_PSYCHOGENIC,
    ),
    ConditionClass(
        "neuropathic-pain",
        "neuropathicPain",
        "Neuropathy or neuropathic pain",
        ("B02.2", "E11.40", "E11.42", "G50.0", "G54.6", "G56.4", "G57.7", "G62", "G63", "G90.5", "M54.1", "M79.2"),
        name=(
            r"neuropath|neuralgia|radiculopathy|sciatica|neurogenic pain|nerve (root )?pain|phantom (limb )?pain"
            r"|complex regional pain"
        ),
        no_name=r"\b(optic|auditory|autonomic)\b",
    ),
    ConditionClass(
        "depression",
        "depression",
        "Depression",
        ("F32", "F33"),
        _snomed("832007"),
        name=r"depressi(on|ve)",
        no_name=r"\b(respiratory|marrow|st|segment|skull|spreading)\b",
    ),
    ConditionClass("anxiety", "anxiety", "Anxiety disorder", ("F40", "F41"), name=r"anxiety|panic (disorder|attack)"),
    ConditionClass(
        "trauma",
        "trauma",
        "Post-traumatic stress disorder",
        ("F43.1",),
        name=r"post[- ]?traumatic stress|\bptsd\b",
    ),
    ConditionClass("insomnia", "insomnia", "Insomnia", ("F51.0", "G47.0"), name=r"insomnia"),
    ConditionClass(
        "psychosis-or-mania",
        "psychosisOrMania",
        "Psychosis or bipolar disorder",
        ("F2", "F30", "F31"),
        name=r"schizophren|psychosis|psychotic|bipolar|\b(hypo)?mani(a|c)\b",
        no_name=r"arthroplasty|prosthe",
    ),
    ConditionClass(
        "borderline-personality",
        "borderlinePersonality",
        "Borderline personality disorder",
        ("F60.3",),
        name=r"borderline personality",
    ),
    ConditionClass(
        "substance-use",
        "substanceUse",
        "Substance use disorder",
        ("F10", "F11", "F12", "F13", "F14", "F15", "F16", "F18", "F19"),
        name=(
            rf"{_SUBSTANCE}\b.*\b(abuse|dependence|addiction|use disorder)|alcoholism"
            rf"|(abuse of|dependence on|addiction to) {_SUBSTANCE}"
        ),
    ),
    ConditionClass(
        "dementia",
        "dementia",
        "Dementia",
        ("F01", "F02", "F03", "G30"),
        name=r"dementia|alzheimer",
    ),
    ConditionClass("epilepsy", "epilepsy", "Epilepsy", ("G40",), name=r"epilep|seizure disorder"),
    ConditionClass(
        "kidney-disease",
        "kidneyDisease",
        "Kidney disease",
        ("N17", "N18", "N19"),
        name=r"(kidney|renal) (disease|failure|insufficiency|injury)|nephropathy",
    ),
    ConditionClass(
        "liver-disease",
        "liverDisease",
        "Liver disease",
        ("K70", "K71", "K72", "K73", "K74", "B18"),
        name=r"cirrhosis|hepatitis|(liver|hepatic) (disease|failure)",
    ),
    ConditionClass(
        "gastric-bleeding",
        "gastricBleeding",
        "Peptic ulcer or gut bleeding",
        ("K25", "K26", "K27", "K28", "K92.2"),
        name=r"(peptic|gastric|duodenal|stomach) ulcer|\b(gastrointestinal|gi|gut) (bleed|h(ae|e)morrhage)",
    ),
    ConditionClass(
        "heart-failure",
        "heartFailure",
        "Heart failure",
        ("I50",),
        name=r"heart failure",
    ),
    ConditionClass(
        "arrhythmia",
        "arrhythmia",
        "Arrhythmia or conduction disorder",
        ("I44", "I45", "I47", "I48", "I49"),
        name=r"arrhythmia|fibrillation|heart block|long qt",
    ),
    ConditionClass(
        "ischaemic-heart",
        "ischaemicHeart",
        "Ischaemic heart disease",
        ("I20", "I21", "I22", "I24", "I25"),
        name=r"isch(ae|e)mic heart|coronary|myocardial infarction|\bangina",
        no_name=r"ludwig|vincent|normal coronary",
    ),
    ConditionClass(
        "hypertension",
        "hypertension",
        "Hypertension",
        ("I10", "I11", "I12", "I13", "I15", "I16"),
        _snomed("59621000", "38341003"),
        name=r"hypertensi(on|ve)",
        no_name=r"\b(pulmonary|portal|intracranial|ocular|venous) hypertension",
    ),
    ConditionClass(
        "thrombosis",
        "thrombosis",
        "Venous thrombosis",
        ("I80", "I82"),
        name=r"venous thrombo",
    ),
    ConditionClass(
        "bleeding-disorder",
        "bleedingDisorder",
        "Bleeding disorder",
        ("D65", "D66", "D67", "D68", "D69"),
        name=r"h(ae|e)mophilia|thrombocytopenia|bleeding disorder",
        but_not=("D68.5", "D68.6"),  # blood that clots too easily
    ),
    ConditionClass(
        "sickle-cell",
        "sickleCell",
        "Sickle cell disease",
        ("D57",),
        name=r"sickle",
        but_not=("D57.3",),  # the trait
        no_name=r"\btrait\b",
    ),
    ConditionClass(
        "cancer",
        "cancer",
        "Cancer",
        ("C",),
        name=r"\bcancer|carcinoma|lymphoma|leuk(ae|e)mia|malignan",
        no_name=r"pre-?cancer|malignant hypert",
    ),
    ConditionClass("copd", "copd", "COPD", ("J44",), _snomed("185086009"), name=r"copd|chronic obstructive"),
    ConditionClass("asthma", "asthma", "Asthma", ("J45",), _snomed("195967001"), name=r"asthma"),
    ConditionClass(
        "sleep-apnoea",
        "sleepApnoea",
        "Sleep apnoea",
        ("G47.3",),
        name=r"sleep apno?ea|\bosa\b",
    ),
    ConditionClass(
        "glaucoma", "angleClosureGlaucoma", "Angle-closure glaucoma", ("H40.2",), name=r"angle.closure glaucoma"
    ),
    ConditionClass(
        "urinary-retention",
        "urinaryRetention",
        "Urinary retention",
        ("R33", "N40.1"),
        name=r"urinary retention",
    ),
    ConditionClass("osteoporosis", "osteoporosis", "Osteoporosis", ("M80", "M81"), name=r"osteoporosis"),
    ConditionClass(
        "loss-of-sensation",
        "lossOfSensation",
        "Loss of sensation, or neuropathy",
        ("R20.0", "R20.1", "G62", "E11.4"),
        name=r"(loss of|impaired|reduced|decreased) sensation|numbness|neuropathy",
        no_name=r"\b(optic|auditory|autonomic)\b",
    ),
    ConditionClass("raynaud", "raynaud", "Raynaud phenomenon", ("I73.0",), name=r"raynaud"),
    ConditionClass(
        "falls",
        "falls",
        "Falls",
        ("R29.6", "Z91.81", "W19"),
        name=r"(repeated|recurrent|frequent) falls|history of falls",
    ),
    ConditionClass(
        "pregnancy",
        "pregnancy",
        "Pregnancy",
        ("O", "Z33", "Z34"),
        _snomed("72892002", "77386006"),
        name=r"pregnan",
        no_name=r"pregnancy test|false pregnancy",
    ),
    ConditionClass("cauda-equina", "caudaEquina", "Cauda equina syndrome", ("G83.4",), name=r"cauda equina"),
    ConditionClass(
        "palliative-care", "palliativeCare", "Palliative care", ("Z51.5",), name=r"palliative|hospice|terminal illness"
    ),
)
"""http://hl7.org/fhir/R4/condition.html; ``Z`` and ``O`` codes are recorded as Conditions by many EHRs."""
