"""Addresses of this door, all below /admin/."""

from django.urls import path

from analysis.pages import board, report, themes

app_name = "analysis"
urlpatterns = [
    path("board/", board.page, name="board"),
    path("report/", report.report, name="report"),
    path("report/closure.csv", report.closure_csv, name="closure-csv"),
    path("report/scores.csv", report.scores_csv, name="scores-csv"),
    path("themes/", themes.page, name="themes"),
    path("themes/themes.csv", themes.themes_csv, name="themes-csv"),
]
