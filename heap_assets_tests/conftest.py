pytest_plugins = ["heap_assets_tests.s3_server"]
