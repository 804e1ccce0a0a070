tin_page(report evaluate/report)
