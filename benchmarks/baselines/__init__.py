"""What the product is compared with: the same page of students, served by small programs over the same database.

Each is written as somebody would who knows its framework: no query too many, nothing cached, nothing left out that a
client would miss. They run in an environment of their own (`requirements.txt` beside this file), and import nothing of
the product.

    Program               What it stands for                         Server
    plain_drf             what most teams ship                       gunicorn with gevent, as the product
    bare_django           the least that Django takes                gunicorn with gevent, as the product
    fastapi_sqlalchemy    the usual asynchronous stack               uvicorn with uvloop
    litestar_asyncpg      the quickest such stack, SQL by hand       uvicorn with uvloop
    static.conf           the least that HTTP takes                  nginx

The first three of those that ask the database check a bearer token and load its account, count the rows and number the
pages. Each has two processes and the same number of connections to the database as the product.
"""
