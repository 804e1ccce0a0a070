tin_page(check inspect/pages)
tin_page(stats inspect/pages)
