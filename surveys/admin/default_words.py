"""The words a new survey starts with, by kind; each is meant to be read and changed."""

from __future__ import annotations

from surveys.models import Kind, Survey, Wording

LANGUAGE = "en"

SHARED = {
    "greeting": "Hello {name},",
    "intro": "It takes one click, and a person here reads every answer.",
    "thanks": "Thank you. A person here reads every answer, and acts on it.",
}

OF_KIND = {
    Kind.NPS: {
        "subject": "How likely are you to recommend {company}?",
        "question": "How likely are you to recommend {product} to a friend or colleague?",
        "low_label": "Not at all likely",
        "high_label": "Extremely likely",
        "comment_label": "What is the main reason for your score?",
    },
    Kind.CSAT: {
        "subject": "How did we do?",
        "question": "How satisfied are you with {product}?",
        "low_label": "Very dissatisfied",
        "high_label": "Very satisfied",
        "comment_label": "What could we have done better?",
    },
    Kind.CES: {
        "subject": "Did we make it easy for you?",
        "question": "{company} made it easy for me to handle my issue with {product}.",
        "low_label": "Strongly disagree",
        "high_label": "Strongly agree",
        "comment_label": "What made it easy or hard?",
    },
}


def default_wording(survey: Survey) -> Wording:
    """English words for the survey's kind, not saved yet."""
    words = {**SHARED, **OF_KIND[Kind(survey.kind)]}
    return Wording(survey=survey, language=LANGUAGE, **words)
