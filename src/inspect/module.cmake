tin_page(check inspect/pages)
