"""Running the whole product on one machine: its own PostgreSQL and Valkey, and the supervisor behind `make run`.

Nothing here is used in production. Everything it makes lies in `.campus/` inside the checkout.
"""

from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
HOME = CHECKOUT / ".campus"
