"""Static analysis of bots: source text in, findings and a quality score out. Nothing is ever executed."""

from shared.analysis.analyse import analyse_files
from shared.analysis.report import Category, Finding, Metrics, Report, Severity
from shared.analysis.score import quality_score

__all__ = ["Category", "Finding", "Metrics", "Report", "Severity", "analyse_files", "quality_score"]
