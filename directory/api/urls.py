"""Where the directory answers. There is nothing more to say of anybody than its list does."""

from django.urls import path

from directory.api import views

urlpatterns = [path("directory/", views.DirectoryViewSet.as_view({"get": "list"}), name="directory")]
