{{ migrated('sale_page_view') }}
