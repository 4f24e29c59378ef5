"""Reading comments: strings in, themes out. scikit-learn and nltk; no Django in here."""
