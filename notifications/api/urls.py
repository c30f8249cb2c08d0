"""Where notifications answer."""

from django.urls import path

from notifications.api import stream, views, webhooks

routes = [
    ("notifications", views.NotificationViewSet, "notification"),
    ("webhooks", webhooks.WebhookViewSet, "webhook"),
    ("webhook-deliveries", webhooks.DeliveryViewSet, "webhook-delivery"),
]

urlpatterns = [
    path("notifications/stream/", stream.StreamView.as_view(), name="notifications-stream"),
    path("webhooks/topics/", webhooks.OffersView.as_view(), name="webhook-topics"),
    path("notifications/unread-count/", views.UnreadCountView.as_view(), name="notifications-unread-count"),
    path("notifications/read-all/", views.ReadAllView.as_view(), name="notifications-read-all"),
    path("notifications/preferences/", views.PreferencesView.as_view(), name="notification-preferences"),
]
