"""The least valid text that others are compared with."""

import factory

from core.ids import new_id
from texts.models import Document


class DocumentFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Document

    corpus = "tests.texts"
    owner = factory.LazyFunction(new_id)
    text = "Something that was handed in."
