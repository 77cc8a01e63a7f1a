"""What has been judged, as tables, pandas frames and the site. Judges nothing."""
